import Testing

/// Suites that use fixed addresses of this machine, so all their tests are serialized.
@Suite(.serialized) enum RealMachines {}

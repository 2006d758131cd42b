import Testing

/// Suites that take addresses of this machine: one test after the other, over all of them.
@Suite(.serialized) enum RealMachines {}

/// Thresholds at which a node reports itself as unhealthy, and at which the monitor's rules have their highest severity. A stock
/// Uptime Kuma sees only the former.
package enum CriticalLimits {
    /// Disk usage in percent.
    package static let disk = 95.0
    /// Memory usage in percent.
    package static let memory = 96.0
    /// The elapsed fraction of a certificate's lifetime.
    package static let certificate = 0.95
}

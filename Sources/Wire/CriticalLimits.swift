/// Where a node says of itself that it is unhealthy, and where the monitor's rules have their highest severity. A stock Uptime
/// Kuma sees only the first.
package enum CriticalLimits {
    /// Percent of the disk that is used.
    package static let disk = 95.0
    /// Percent of the memory that is used.
    package static let memory = 96.0
    /// Of a certificate's lifetime that is over.
    package static let certificate = 0.95
}

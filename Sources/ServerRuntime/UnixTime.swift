import Glibc

/// The current time of the system clock in Unix seconds.
@Sendable package func unixTime() -> Int64 { Int64(time(nil)) }

import Glibc

/// Unix seconds by the machine's clock.
@Sendable package func unixTime() -> Int64 { Int64(time(nil)) }

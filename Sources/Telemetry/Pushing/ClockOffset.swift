import Encoding
import FoundationEssentials
import Wire

/// Computes the offset of the node's clock from the monitor's, in milliseconds, from one response.
///
/// As in NTP, the monitor is assumed to have read its clock halfway between request and response. A TLS handshake in
/// between adds an error of half its duration, once per connection. Without the monitor's timestamp the `Date` header
/// is used, with an error of half a second.
///
/// - Parameters:
///   - reply: The response.
///   - now: The node's clock after the response, in Unix milliseconds.
///   - elapsed: Duration of the exchange, by a monotonic clock.
/// - Returns: Nil when the response contains no time.
func clockOffset(_ reply: PushReply, now: Int64, elapsed: Duration) -> Int64? {
    let theirs: Int64
    if let time = reply.answer?.timeMS {
        theirs = time
    } else if let date = reply.date.flatMap(HTTPDate.seconds) {
        theirs = date * 1000 + 500
    } else {
        return nil
    }
    let (middle, underflows) = now.subtractingReportingOverflow(elapsed.milliseconds / 2)
    let (offset, overflows) = middle.subtractingReportingOverflow(theirs)
    return underflows || overflows ? nil : offset
}

extension PushReply {
    /// Nil for an endpoint with another response format, or none.
    var answer: PushAnswer? { try? JSONDecoder().decode(PushAnswer.self, from: Data(body)) }
}

import FoundationEssentials
import Wire

/// How far the node's clock is ahead of the monitor's, in milliseconds, read off one answer.
///
/// As NTP does it: the monitor is taken to have looked at its clock halfway between request and answer. A handshake in
/// between makes that wrong by half of what it took, once per connection. Without the monitor's own word the `Date`
/// header serves, good to half a second.
///
/// - Parameters:
///   - reply: What came back.
///   - now: The node's clock after the answer, in Unix milliseconds.
///   - elapsed: How long it all took, by a clock that nobody sets.
/// - Returns: Nil when the answer tells no time.
func clockOffset(_ reply: PushReply, now: Int64, elapsed: Duration) -> Int64? {
    let theirs: Int64
    if let time = reply.answer?.timeMS {
        theirs = time
    } else if let date = reply.date.flatMap(unixTime(httpDate:)) {
        theirs = date * 1000 + 500
    } else {
        return nil
    }
    let (middle, isTooEarly) = now.subtractingReportingOverflow(elapsed.milliseconds / 2)
    let (offset, isTooFar) = middle.subtractingReportingOverflow(theirs)
    return isTooEarly || isTooFar ? nil : offset
}

extension PushReply {
    /// Nil for a pusher's endpoint that answers in other words, or in none.
    var answer: PushAnswer? { try? JSONDecoder().decode(PushAnswer.self, from: Data(body)) }
}

package import Wire

extension Heartbeat {
    /// The ratio of responses in the last hour with a 5xx status; of all failed ones if the node does not report those.
    package var errorRatio: Double? {
        req1h > 0 ? Double(err5xx1h ?? err1h) / Double(req1h) : nil
    }
}

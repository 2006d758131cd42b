package import Wire

extension Heartbeat {
    /// Of the last hour's answers, those that were the node's own fault; where it does not tell these, all that failed.
    package var errorRatio: Double? {
        req1h > 0 ? Double(err5xx1h ?? err1h) / Double(req1h) : nil
    }
}

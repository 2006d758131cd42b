/// Accumulates the mean of several `Metrics`.
package struct MeanMetrics: Equatable, Sendable {
    private var sums = Array(repeating: 0.0, count: Metric.allCases.count)
    private var counts = Array(repeating: 0.0, count: Metric.allCases.count)
    package private(set) var beats = 0

    package init() {}

    /// `weight`: How many heartbeats the metrics represent.
    package mutating func add(_ metrics: Metrics, weight: Int = 1) {
        beats += weight
        for (index, value) in metrics.values.enumerated() where !value.isNaN {
            sums[index] += Double(value) * Double(weight)
            counts[index] += Double(weight)
        }
    }

    package var mean: Metrics {
        var metrics = Metrics()
        for metric in Metric.allCases where counts[metric.rawValue] > 0 {
            metrics[metric] = sums[metric.rawValue] / counts[metric.rawValue]
        }
        return metrics
    }
}

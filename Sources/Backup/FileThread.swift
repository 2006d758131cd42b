import Dispatch

/// Runs work that waits for the disk on a thread where waiting is allowed.
///
/// A node has one core, so the cooperative pool has one thread: encrypting there would stop every request. One queue
/// for all, because two backups at a time would only be slower.
func onFileThread<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
        fileQueue.async { continuation.resume(with: Result(catching: work)) }
    }
}

private let fileQueue = DispatchQueue(label: "clavitor.backup", qos: .utility)

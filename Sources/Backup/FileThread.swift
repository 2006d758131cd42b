import Dispatch

/// Runs blocking file work outside the cooperative thread pool.
///
/// On a node with one core the pool has one thread, so encrypting there would block every request. All work shares one
/// queue, because two concurrent backups would only be slower.
func onFileThread<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
    try await withCheckedThrowingContinuation { continuation in
        fileQueue.async { continuation.resume(with: Result(catching: work)) }
    }
}

private let fileQueue = DispatchQueue(label: "clavitor.backup", qos: .utility)

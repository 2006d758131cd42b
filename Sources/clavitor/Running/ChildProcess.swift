import CProcess
import Glibc

/// Runs a program with secrets in its environment, and masks them in its output.
struct ChildProcess {
    /// The path found by `Executable`.
    let path: String
    /// The program's name as given, and its arguments.
    let arguments: [String]
    /// The complete environment.
    let environment: [String: String]
    let secrets: [String]

    /// The output streams to mask.
    struct Masking: Equatable, Sendable {
        var output: Bool
        var errors: Bool

        static let none = Masking(output: false, errors: false)
    }

    /// Replaces this process by the program (exec), which then has its terminal, parent and signals directly.
    ///
    /// - Returns: The error. Does not return on success.
    func replaceProcess() -> CommandFailure {
        let error = unsafe withStrings { path, arguments, environment in
            unsafe process_exec(path, arguments, environment)
        }
        return Executable.failure(of: path, errno: error)
    }

    /// Runs the program as a child.
    ///
    /// - Returns: The exit code; 128 plus the signal's number if a signal ended it, as in POSIX shells.
    func run(_ masking: Masking) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            // The child is killed when its parent thread ends, so it gets a dedicated thread.
            DedicatedThread.run { continuation.resume(with: Result { try blockingRun(masking) }) }
        }
    }

    private func blockingRun(_ masking: Masking) throws -> Int32 {
        var pipes: [MaskedPipe] = []
        if masking.output { pipes.append(try MaskedPipe(to: STDOUT_FILENO, hiding: secrets)) }
        if masking.errors { pipes.append(try MaskedPipe(to: STDERR_FILENO, hiding: secrets)) }
        ForwardedSignals.begin()
        defer { ForwardedSignals.end() }
        func end(_ target: Int32) -> Int32 { pipes.first { $0.target == target }?.writeEnd ?? -1 }
        var child: pid_t = 0
        let error = unsafe withStrings { path, arguments, environment in
            var program = unsafe child_program(
                path: path, arguments: arguments, environment: environment, output: end(STDOUT_FILENO),
                errors: end(STDERR_FILENO))
            return unsafe child_start(&program, &child)
        }
        for pipe in pipes { pipe.closeWriteEnd() }
        guard error == 0 else {
            for pipe in pipes { pipe.close() }
            throw Executable.failure(of: path, errno: error)
        }
        ForwardedSignals.send(to: child)
        return ChildOutput(pipes).copy(of: child)
    }

    private func withStrings<R>(
        _ body: (
            UnsafePointer<CChar>, UnsafePointer<UnsafeMutablePointer<CChar>?>,
            UnsafePointer<UnsafeMutablePointer<CChar>?>
        ) -> R
    ) -> R {
        let arguments = CStrings(arguments)
        let environment = CStrings(environment.map { "\($0.key)=\($0.value)" })
        return unsafe path.withCString { path in unsafe body(path, arguments.pointer, environment.pointer) }
    }
}

/// A NULL-terminated array of C strings for exec, wiped when released.
@safe
private final class CStrings {
    let pointer: UnsafePointer<UnsafeMutablePointer<CChar>?>
    private let texts: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        let allocated = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() {
            unsafe (allocated + index).initialize(to: strdup(text))
        }
        unsafe (allocated + texts.count).initialize(to: nil)
        unsafe self.texts = unsafe allocated
        unsafe pointer = unsafe UnsafePointer(allocated)
    }

    deinit {
        for index in 0..<count {
            if let text = unsafe texts[index] {
                unsafe explicit_bzero(text, strlen(text))
                unsafe free(text)
            }
        }
        unsafe texts.deallocate()
    }
}

/// Runs a closure on a new thread.
private enum DedicatedThread {
    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    static func run(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(Work(body)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                }
                return nil
            }, context)
        precondition(code == 0, "pthread_create failed")
        pthread_detach(thread)
    }
}

import CProcess
import Glibc

/// Runs a program with secrets in its environment and masks them in what it prints.
struct ChildProcess {
    /// As `Executable` found it.
    let path: String
    /// The program's name as it was given, and what follows.
    let arguments: [String]
    /// All of it.
    let environment: [String: String]
    let secrets: [String]

    /// Which of the program's streams are looked through.
    struct Masking: Equatable, Sendable {
        var output: Bool
        var errors: Bool

        static let none = Masking(output: false, errors: false)
    }

    /// Becomes the program: nothing stands between it and its terminal, its parent and its signals.
    ///
    /// - Returns: Only what kept it from that.
    func become() -> CommandFailure {
        let error = unsafe withStrings { path, arguments, environment in
            unsafe process_become(path, arguments, environment)
        }
        return Executable.failure(of: path, errno: error)
    }

    /// - Returns: Its exit code; 128 and the signal's number when a signal ended it, as shells have it.
    func run(_ masking: Masking) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            // The program ends with the thread that starts it, so that is one of its own.
            ThreadOfItsOwn.run { continuation.resume(with: Result { try blockingRun(masking) }) }
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

/// Texts as exec wants them: each with a zero at its end, and nil after the last.
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

private enum ThreadOfItsOwn {
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
        precondition(code == 0, "no thread to be had")
        pthread_detach(thread)
    }
}

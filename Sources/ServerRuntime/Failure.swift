import Glibc
import NIOCore

/// An error message for the operator: the cause and what to do.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// Describes the error that ended a server program.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - address: The address to serve.
    ///   - program: The subject of the sentence, such as "The node".
    package init(_ error: any Error, serving address: BindAddress, by program: String) {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE?:
            self.init(
                "\(address) is in use by another program. Stop that program, or choose another address with --https.")
        case EACCES?:
            self.init(
                "\(address) cannot be bound: ports below 1024 require root or CAP_NET_BIND_SERVICE. Grant it, or choose another port with --https."
            )
        case EADDRNOTAVAIL?:
            self.init("\(address) is not an address of this machine. Choose another with --https.")
        default: self.init("\(program) stopped: \(error)")
        }
    }

    /// Throws when the argument list is empty, because it could not be read: the program would ignore its options.
    package static func requireArguments() throws {
        guard !CommandLine.arguments.isEmpty else {
            throw Failure("/proc is not mounted, so the arguments cannot be read. Mount it: mount -t proc proc /proc")
        }
    }
}

import Glibc
import NIOCore

/// An error for the person at the terminal: what is wrong and what to do.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// What ended a program that served, or would have.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - address: Where it was to serve.
    ///   - program: Such as "The node".
    package init(_ error: any Error, serving address: BindAddress, by program: String) {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE?:
            self.init("\(address) is in use: another program serves there. Stop it, or take another with --https.")
        case EACCES?:
            self.init(
                "\(address) may not be served: ports below 1024 need root or CAP_NET_BIND_SERVICE. Or take another with --https."
            )
        case EADDRNOTAVAIL?:
            self.init("\(address) is no address of this machine. --https takes another.")
        default: self.init("\(program) stopped: \(error)")
        }
    }

    /// Where there is not even the program's own name, none could be read: without them it would do what it was not told.
    package static func requireArguments() throws {
        guard !CommandLine.arguments.isEmpty else {
            throw Failure("/proc is not mounted, so the arguments cannot be read. Mount it: mount -t proc proc /proc")
        }
    }
}

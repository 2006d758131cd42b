import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Ports for programs that are told their port before they listen.
///
/// A port that the kernel chose and took back can be given to somebody else before the program has it. These are below the
/// kernel's own range (`ip_local_port_range` begins at 32768) and each is given once, so that nobody else asks for one.
package enum FreePort {
    private static let range = 12_000..<32_000
    private static let next = Mutex(Int.random(in: range))

    package static func take(on address: String = "127.0.0.1") throws -> Int {
        for _ in range {
            let port = next.withLock { port in
                port = range.contains(port + 1) ? port + 1 : range.lowerBound
                return port
            }
            // Something that runs for long may have it.
            guard
                let channel = try? ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: address, port: port).wait()
            else { continue }
            try channel.close().wait()
            return port
        }
        throw NoFreePort()
    }

    package struct NoFreePort: Error {}
}

import Foundation
import TestSupport

extension Tool {
    static func promtool(_ arguments: String..., input: String = "", in folder: String? = nil) throws -> Tool {
        try Tool("promtool", arguments, help: "apt-get install prometheus", input: input, in: folder)
    }
}

extension Project {
    static let observability = folder.appending(path: "docs/observability")

    static func observability(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: observability.appending(path: name)), as: UTF8.self)
    }
}

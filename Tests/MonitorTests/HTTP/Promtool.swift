import Foundation
import TestSupport

extension Tool {
    static func promtool(_ arguments: String..., input: String = "", in folder: String? = nil) throws -> Tool {
        try Tool("promtool", "apt-get install prometheus", arguments, input: input, in: folder)
    }
}

extension Project {
    static let observability = folder.appending(path: "docs/observability")

    static func observability(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: observability.appending(path: name)), as: UTF8.self)
    }
}

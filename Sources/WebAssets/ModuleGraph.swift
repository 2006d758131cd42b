/// The JavaScript modules that a module imports statically, directly or through others.
struct ModuleGraph {
    /// Imported names by module name.
    private let imports: [String: [String]]

    init(_ assets: [Asset]) {
        var imports: [String: [String]] = [:]
        for asset in assets where asset.isModule {
            guard let name = asset.name else { continue }
            imports[name] = Self.imports(of: String(decoding: asset.bytes, as: UTF8.self))
        }
        self.imports = imports
    }

    /// All modules that `entry` needs without itself, those it needs first in front.
    func dependencies(of entry: String) -> [String] {
        var found: [String] = []
        var seen: Set<String> = [entry]
        func visit(_ name: String) {
            for module in imports[name] ?? [] where seen.insert(module).inserted {
                visit(module)
                found.append(module)
            }
        }
        visit(entry)
        return found
    }

    /// The names in `import … from "./NAME"`, `export … from "./NAME"` and `import "./NAME"` at the start of a line.
    private static func imports(of source: String) -> [String] {
        source.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("import ") || line.hasPrefix("export ") || line.hasPrefix("} from ") else {
                return nil
            }
            let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard parts.count > 2, parts[0].hasSuffix("from ") || parts[0] == "import ", parts[1].hasPrefix("./") else {
                return nil
            }
            return String(parts[1].dropFirst(2))
        }
    }
}

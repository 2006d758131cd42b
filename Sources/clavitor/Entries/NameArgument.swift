import VaultFormat

/// An argument that names an entry, agent or session: a title, or `id:` followed by an id.
///
/// One in 64 ids of older versions begins with "-", and would be parsed as an option.
enum NameArgument {
    private static let mark = "id:"

    /// The arguments with the mark before each that has an id's shape and begins with "-", up to "--".
    static func marked(_ arguments: [String]) -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return arguments[..<end].map { isID($0) ? mark + $0 : $0 } + arguments[end...]
    }

    /// The name without the mark.
    static func name(_ argument: String) -> String {
        argument.hasPrefix(mark) ? String(argument.dropFirst(mark.count)) : argument
    }

    /// `-…`, also in front of a field: `-…/FIELD`.
    private static func isID(_ argument: String) -> Bool {
        guard argument.first == "-", !argument.hasPrefix("--") else { return false }
        return EntryID(text: argument.prefix { $0 != "/" }) != nil
    }
}

package enum BackupError: Error, Equatable, CustomStringConvertible, Sendable {
    case alreadyExists(String)
    case notADatabase
    case damaged(String)

    package var description: String {
        switch self {
        case .alreadyExists(let path): "\(path) already exists and is not overwritten."
        case .notADatabase: "The file is not a copy of a monitor's database."
        case .damaged(let findings): "The copy is damaged: \(findings)"
        }
    }
}

/// A value bound to a statement, in one of SQLite's storage classes.
package enum Value: Equatable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    package static func integer(_ value: Int) -> Value { .integer(Int64(value)) }

    package static func blob(_ value: [UInt8]?) -> Value {
        guard let value else { return .null }
        return .blob(value)
    }

    package static func integer(_ value: Int64?) -> Value {
        guard let value else { return .null }
        return .integer(value)
    }
}

package enum OperatorError: Error, Equatable, CustomStringConvertible, Sendable {
    case noSuchOperator(String)
    case noSuchToken(String)
    case wrongPassword
    case wrongCode

    package var description: String {
        switch self {
        case .noSuchOperator(let name): "There is no operator \(name). `operator add \(name)` adds one."
        case .wrongPassword: "The password is wrong, or there is no such operator."
        case .wrongCode: "The code does not match the seed. Nothing was changed; check this machine's clock."
        case .noSuchToken(let id): "There is no token \(id). `token list` lists the tokens."
        }
    }
}

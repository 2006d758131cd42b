import FoundationEssentials

/// What the program takes from its environment. Read here and nowhere else.
struct ProcessEnvironment: Sendable {
    /// `CLAVITOR_SERVER`
    let server: String?
    /// `CLAVITOR_TOKEN_FILE`: where an agent's token is.
    let tokenFile: String?
    /// `CLAVITOR_CA_FILE`
    let caFile: String?
    /// `CLAVITOR_PASSWORD_FILE`
    let passwordFile: String?
    /// `$XDG_STATE_HOME/clavitor`, by default `~/.local/state/clavitor`. Nil without a home.
    let stateDirectory: String?

    init(_ variables: [String: String] = ProcessInfo.processInfo.environment) {
        func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        server = value("CLAVITOR_SERVER")
        tokenFile = value("CLAVITOR_TOKEN_FILE")
        caFile = value("CLAVITOR_CA_FILE")
        passwordFile = value("CLAVITOR_PASSWORD_FILE")
        // Relative paths in XDG variables are to be ignored, says the specification.
        if let state = value("XDG_STATE_HOME"), state.hasPrefix("/") {
            stateDirectory = state + "/clavitor"
        } else {
            stateDirectory = value("HOME").map { $0 + "/.local/state/clavitor" }
        }
    }
}

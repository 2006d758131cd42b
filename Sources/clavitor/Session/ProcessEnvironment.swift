import FoundationEssentials

/// The environment variables of the program. The only place that reads them.
struct ProcessEnvironment: Sendable {
    /// `CLAVITOR_SERVER`
    let server: String?
    /// `CLAVITOR_TOKEN_FILE`: the file with an agent's token.
    let tokenFile: String?
    /// `CLAVITOR_CA_FILE`
    let caFile: String?
    /// `CLAVITOR_PASSWORD_FILE`
    let passwordFile: String?
    /// `$XDG_STATE_HOME/clavitor`, by default `~/.local/state/clavitor`. Nil without a home directory.
    let stateDirectory: String?

    init(_ variables: [String: String] = ProcessInfo.processInfo.environment) {
        func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        server = value("CLAVITOR_SERVER")
        tokenFile = value("CLAVITOR_TOKEN_FILE")
        caFile = value("CLAVITOR_CA_FILE")
        passwordFile = value("CLAVITOR_PASSWORD_FILE")
        // The XDG specification requires that relative paths are ignored.
        if let state = value("XDG_STATE_HOME"), state.hasPrefix("/") {
            stateDirectory = state + "/clavitor"
        } else {
            stateDirectory = value("HOME").map { $0 + "/.local/state/clavitor" }
        }
    }
}

/// What to do about a node next: a function of what it says, so that it does not matter who asks, or how often.
package enum RolloutStep: Equatable, Sendable {
    case begin
    case wait
    /// The new system runs: look whether it is well.
    case examine
    case confirm
    /// Tell it to go back, for that reason.
    case abort(String)
    case kept
    case wentBack
    /// Neither here nor there; a person must look.
    case stuck(String)

    package static func next(_ state: NodeState) -> RolloutStep {
        switch state.phase {
        case .none, .prepared: .begin
        case .pending: whileOpen(state)
        case .confirmed where state.current != state.target:
            .stuck("it was confirmed, but runs \(state.current); its boot default may be the old system")
        case .confirmed: .confirm
        case .kept where state.current != state.target: .stuck("it was kept, but runs \(state.current)")
        case .kept: .kept
        // The boot default is the old system.
        case .expired where state.isRebooted && state.current == state.previous: .wentBack
        case .expired where state.isRebooted: .stuck("it rebooted while it went back; it runs \(state.current)")
        case .expired: .wait
        case .restored where state.restored != 0:
            .stuck("it went back, but the old system ended its activation with status \(state.restored ?? -1)")
        case .restored: .wentBack
        }
    }

    private static func whileOpen(_ state: NodeState) -> RolloutStep {
        if state.isRebooted { return .abort("it rebooted, into the old system") }
        guard let status = state.activated else { return .wait }
        guard status == 0 else { return .abort("the activation ended with status \(status)") }
        guard state.current == state.target else { return .abort("it runs \(state.current) after the activation") }
        return .examine
    }
}

/// The next step for a node: a pure function of its state, so that repeated or resumed runs agree.
package enum RolloutStep: Equatable, Sendable {
    case activate
    case wait
    /// The new system runs; check its health.
    case checkHealth
    case confirm
    /// Roll back, for this reason.
    case abort(String)
    case kept
    case rolledBack
    /// An inconsistent state that an operator must check.
    case stuck(String)

    package static func next(_ state: NodeState) -> RolloutStep {
        switch state.phase {
        case .none, .prepared: .activate
        case .pending: whilePending(state)
        case .confirmed where state.current != state.target:
            .stuck("it was confirmed, but runs \(state.current); its boot default may be the old system")
        case .confirmed: .confirm
        case .kept where state.current != state.target: .stuck("it was kept, but runs \(state.current)")
        case .kept: .kept
        // The boot default is the old system.
        case .expired where state.isRebooted && state.current == state.previous: .rolledBack
        case .expired where state.isRebooted: .stuck("it rebooted during its rollback; it runs \(state.current)")
        case .expired: .wait
        case .restored where state.restored != 0:
            .stuck(
                "it was rolled back, but the activation of the old system failed with status \(state.restored ?? -1)")
        case .restored: .rolledBack
        }
    }

    private static func whilePending(_ state: NodeState) -> RolloutStep {
        if state.isRebooted { return .abort("it rebooted, into the old system") }
        guard let status = state.activated else { return .wait }
        guard status == 0 else { return .abort("the activation failed with status \(status)") }
        guard state.current == state.target else { return .abort("it runs \(state.current) after the activation") }
        return .checkHealth
    }
}

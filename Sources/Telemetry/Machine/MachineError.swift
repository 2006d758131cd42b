/// Why a figure of the machine is not known.
package enum MachineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel's text does not have the named value, or not whole.
    case missing(String)
    /// The named value is no number, or one that cannot be.
    case malformed(String)
    /// Of a path: what the system said.
    case unreadable(String)

    package var description: String {
        switch self {
        case .missing(let name): "\(name) is not in the kernel's answer; a newer kernel may name it otherwise"
        case .malformed(let name): "\(name) is not a number that can be"
        case .unreadable(let why): "\(why); if the unit hides /proc (ProcSubset=, InaccessiblePaths=), let it be seen"
        }
    }
}

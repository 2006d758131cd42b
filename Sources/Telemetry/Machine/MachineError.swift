/// Why a value of the machine is unknown.
package enum MachineError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kernel's text does not contain the value, or not completely.
    case missing(String)
    /// The value is not a number, or out of range.
    case malformed(String)
    /// The system's error for a path.
    case unreadable(String)

    package var description: String {
        switch self {
        case .missing(let name): "\(name) is missing in the kernel's text; a newer kernel may use another name"
        case .malformed(let name): "\(name) must be a valid number"
        case .unreadable(let why): "\(why); if the unit hides /proc (ProcSubset=, InaccessiblePaths=), make it visible"
        }
    }
}

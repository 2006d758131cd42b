/// The names of a value's stored members that are nil, for tests that a list has every member.
package func unsetMembers(of value: Any) -> [String] {
    Mirror(reflecting: value).children.filter { child in
        let mirror = Mirror(reflecting: child.value)
        return mirror.displayStyle == .optional && mirror.children.isEmpty
    }.compactMap(\.label)
}

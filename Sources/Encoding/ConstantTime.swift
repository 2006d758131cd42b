/// Compares two byte arrays in time that depends on their lengths only. Lengths are not secret.
///
/// Not generic: another module would run the generic code without specializing it, at a hundred times the cost.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}

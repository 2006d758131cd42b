import Fleet
import Glibc
import Testing

@Suite struct HostAddressTests {
    /// The format of the C library, except for embedded IPv4 addresses, which RFC 5952 leaves open.
    private func libcText(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = unsafe inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test func addressesAreFormattedAsByTheCLibrary() throws {
        for _ in 0..<20_000 {
            let groups = (0..<8).map { _ in
                Bool.random() ? 0 : UInt16.random(in: 1...0xffff) >> UInt16.random(in: 0..<16)
            }
            let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
            let address = try #require(HostAddress(bytes: bytes))
            let written = libcText(bytes)
            if !written.contains(".") { #expect(address.description == written) }
            #expect(HostAddress(address.description) == address, "\(address)")
        }
    }

    @Test(arguments: ["::", "::1", "1::", "2001:db8::1:0:0:1", "2001:0:0:1::1", "::ffff:c000:201", "192.0.2.1"])
    func formattingInvertsParsing(_ text: String) {
        #expect(HostAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", "1", "192.0.2", "192.0.2.01", "192.0.2.256", "192.0.2.1%eth0", "::ffff:192.0.2.1", "fe80::1%eth0",
        "1::2::3",
        ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", " ::1", "[::1]",
    ])
    func invalidAddressesAreRejected(_ text: String) {
        #expect(HostAddress(text) == nil)
    }
}

import Crypto
import Foundation
import Secrets
import Testing

@Suite struct WipingTests {
    private static let secret = [UInt8](1...48)

    /// Decrypted data is such a buffer, which `Data` did not allocate itself.
    @Test func dataIsWipedWhereItIs() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 48, alignment: 1)
        defer { unsafe buffer.deallocate() }
        unsafe buffer.copyBytes(from: Self.secret)
        var data = unsafe Data(bytesNoCopy: buffer.baseAddress!, count: 48, deallocator: .none)
        wipe(&data)
        #expect(unsafe buffer.allSatisfy { $0 == 0 })
    }

    @Test func aKeyIsCopiedBeforeItsBufferIsWiped() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 48, alignment: 1)
        defer { unsafe buffer.deallocate() }
        unsafe buffer.copyBytes(from: Self.secret)
        var data = unsafe Data(bytesNoCopy: buffer.baseAddress!, count: 48, deallocator: .none)
        let key = SymmetricKey(wiping: &data)
        #expect(Array(key.bytes) == Self.secret)
        #expect(unsafe buffer.allSatisfy { $0 == 0 })
    }

    @Test func aKeysBytesAreThoseOfItsStorage() {
        let key = SymmetricKey(data: Self.secret)
        unsafe key.withUnsafeBytes { stored in
            unsafe key.bytes.withUnsafeBytes { lent in
                let isSame = unsafe stored.baseAddress == lent.baseAddress
                #expect(isSame && lent.count == 48)
            }
        }
        #expect(Array(key.bytes.dropFirst(40)) == Array(41...48))
        #expect(Array(key.key(at: 8..<40).bytes) == Array(9...40))
        #expect(key.publicBytes(at: 40..<48) == Array(41...48))
    }

    @Test func secretBytesKeepWhatWasWritten() {
        let secret = SecretBytes(count: 3) { output in
            for byte in "abc".utf8 { output.append(byte) }
        }
        #expect(secret.count == 3 && secret.text == "abc")
        #expect(Array(SymmetricKey(secret).bytes) == Array("abc".utf8))
        #expect(secret.withBytes { $0[2] } == UInt8(ascii: "c"))
    }
}

import Encoding
import Testing

@Suite struct Base62Tests {
    private static func decode(_ text: [UInt8], count: Int) -> [UInt8]? {
        var isValid = false
        let bytes = [UInt8](capacity: count) { isValid = Base62.decode(text, into: &$0) }
        return isValid ? bytes : nil
    }

    @Test func numbersHaveAFixedWidth() {
        #expect(String(decoding: Base62.encode([0], digits: 3), as: UTF8.self) == "000")
        #expect(String(decoding: Base62.encode([61], digits: 3), as: UTF8.self) == "00z")
        #expect(String(decoding: Base62.encode([62], digits: 3), as: UTF8.self) == "010")
        #expect(String(decoding: Base62.encode([0xff, 0xff], digits: 3), as: UTF8.self) == "H31")
    }

    @Test func roundTripsEveryWidth() {
        for count in 1...40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 255 - 7 * $0) }
            // A digit holds a little less than six bits.
            #expect(Self.decode(Base62.encode(bytes, digits: count * 8 / 5 + 1), count: count) == bytes)
        }
    }

    @Test(arguments: ["-", "é", " ", "zz"]) func refusesInvalidCharactersAndTooLargeNumbers(_ text: String) {
        #expect(Self.decode(Array(text.utf8), count: 1) == nil)
    }

    /// The check value of CRC-32/ISO-HDLC is cbf43926 for "123456789".
    @Test func theChecksumIsACRC32() {
        let digits = Base62.checksum(of: Array("123456789".utf8))
        #expect(Self.decode(digits, count: 4) == [0xcb, 0xf4, 0x39, 0x26])
        #expect(digits.count == Base62.checksumDigits)
    }
}

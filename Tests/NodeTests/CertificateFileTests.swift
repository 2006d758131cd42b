import Autocert
import Foundation
import NodeCore
import RootKeySources
import ServerRuntime
import TestSupport
import Testing

@testable import clavitor_node

/// Certificate files that another program renews.
@Suite struct CertificateFileTests {
    let scratch: Scratch
    let served = ServedCertificates(names: [])

    init() throws {
        scratch = try Scratch()
    }

    private func write(_ name: String) throws -> DevelopmentCertificate {
        let made = try DevelopmentCertificate(name: name, now: Date())
        _ = try scratch.write(made.certificatePEM, to: "cert.pem")
        _ = try scratch.write(made.privateKeyPEM, to: "key.pem")
        return made
    }

    private var pair: CertificateFilePair {
        CertificateFilePair(certificate: scratch.file("cert.pem"), key: scratch.file("key.pem"), served: served)
    }

    @Test func aChangedPairIsServedAndReadOnce() throws {
        let pair = pair
        _ = try write("one.example.org")
        let isFirst = try pair.reload()
        let isAgain = try pair.reload()
        _ = try write("two.example.org")
        let isChanged = try pair.reload()
        #expect(isFirst && !isAgain && isChanged)
        #expect(served.current?.names.contains("two.example.org") == true)
    }

    @Test func aMismatchedPairIsAnErrorAndTheOldOneStays() throws {
        let pair = pair
        let first = try write("one.example.org")
        _ = try pair.reload()
        // Between the two writes of whoever renews them.
        _ = try write("two.example.org")
        _ = try scratch.write(first.privateKeyPEM, to: "key.pem")
        #expect(throws: Failure.self) { try pair.reload() }
        #expect(served.current?.names.contains("one.example.org") == true)
        _ = try scratch.write("", to: "cert.pem")
        #expect(throws: Failure.self) { try pair.reload() }
        _ = try write("three.example.org")
        let isChanged = try pair.reload()
        #expect(isChanged)
        scratch.remove()
    }

    @Test func olderKeyFormatsAreRead() throws {
        _ = try write("one.example.org")
        for form in ["-traditional"] {
            let text = try Tool("/usr/bin/openssl", ["pkey", form, "-in", scratch.file("key.pem")]).text
            _ = try scratch.write(text, to: "key.pem")
            let isServed = try pair.reload()
            #expect(text.contains("BEGIN EC PRIVATE KEY"))
            #expect(isServed)
        }
    }
}

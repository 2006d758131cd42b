import Autocert
import NIOCore
import NIOSSL
import Testing

/// The decision alone: which certificate a ClientHello gets.
@Suite struct ServedCertificatesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String?
        var protocols: [String] = []
        var names: Set<String> = ["node.example", "challenged.example"]
        var isInstalled = true
        let decision: String

        var testDescription: String {
            "\(name ?? "no name") \(protocols) \(isInstalled ? "" : "before the first certificate"): \(decision)"
        }
    }

    static let acme = ["acme-tls/1"]
    static let cases = [
        Case(name: "node.example", decision: "ordinary"),
        Case(name: nil, decision: "ordinary"),
        Case(name: "node.example", protocols: ["h2"], decision: "ordinary"),
        Case(name: "other.example", decision: "unrecognizedName"),
        Case(name: "other.example", isInstalled: false, decision: "unrecognizedName"),
        Case(name: "other.example", names: [], decision: "ordinary"),
        Case(name: "node.example", isInstalled: false, decision: "internalError"),
        Case(name: nil, isInstalled: false, decision: "internalError"),
        Case(name: "challenged.example", protocols: acme, decision: "challenge"),
        Case(name: "challenged.example", protocols: acme, isInstalled: false, decision: "challenge"),
        Case(name: "challenged.example", protocols: acme + ["h2"], decision: "ordinary"),
        Case(name: "challenged.example", protocols: acme + acme, decision: "ordinary"),
        Case(name: "challenged.example", decision: "ordinary"),
        Case(name: "withdrawn.example", protocols: acme, decision: "noApplicationProtocol"),
        Case(name: "node.example", protocols: acme, decision: "noApplicationProtocol"),
        Case(name: "other.example", protocols: acme, decision: "noApplicationProtocol"),
        Case(name: nil, protocols: acme, decision: "noApplicationProtocol"),
    ]

    @Test(arguments: cases) func eachHelloGetsItsDecision(_ example: Case) throws {
        let certificates = ServedCertificates(names: example.names)
        if example.isInstalled { certificates.install(try someCertificate()) }
        let challenge = try someCertificate("challenged.example")
        certificates.addChallenge(challenge, for: "Challenged.Example")
        certificates.addChallenge(challenge, for: "withdrawn.example")
        certificates.removeChallenge(for: "Withdrawn.Example")
        let hello = try hello(example.name, example.protocols)
        switch certificates.decision(for: hello) {
        case .ordinary: #expect(example.decision == "ordinary")
        case .reject(let alert): #expect(example.decision == "\(alert)")
        case .challenge(let certificate):
            #expect(example.decision == "challenge")
            #expect(certificate.chain == challenge.chain)
        }
    }

    private func hello(_ name: String?, _ protocols: [String]) throws -> ClientHello {
        var reader = ClientHelloReader()
        let extensions =
            (name.map(MadeHello.serverName) ?? []) + (protocols.isEmpty ? [] : MadeHello.protocols(protocols))
        return try #require(
            try reader.append(.init(bytes: MadeHello.records(MadeHello.message(extensions: extensions)))))
    }

    /// A placeholder certificate could be served by mistake.
    @Test func theConfigurationHasNoCertificateOfItsOwn() {
        let configuration = ServedCertificates(names: []).tlsConfiguration()
        #expect(configuration.certificateChain.isEmpty)
        #expect(configuration.privateKey == nil)
        #expect(configuration.minimumTLSVersion == .tlsv12)
        #expect(configuration.curves == nil)
    }
}

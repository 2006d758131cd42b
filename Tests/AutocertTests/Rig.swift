import Autocert
import Foundation
import Synchronization
import TestSupport

/// A keeper with a scripted CA, a clock that sleeping moves, and files in memory. Restarts are a second keeper.
struct Rig: Sendable {
    let clock = TestDate()
    let files = MemoryFiles()
    let challenges = HTTPChallenges()
    let seen = Seen()
    let ca: ScriptedCA
    var settings: CertificateKeeper.Settings

    final class TestDate: Sendable {
        private let state = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
        var now: Date {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
        func advance(by seconds: Double) { state.withLock { $0 = $0.addingTimeInterval(seconds) } }
    }

    /// What the keeper did to the outside.
    final class Seen: Sendable {
        private let state = Mutex<(installed: [IssuedCertificate], events: [CertificateKeeper.Event])>(([], []))
        var installed: [IssuedCertificate] { state.withLock { $0.installed } }
        var events: [CertificateKeeper.Event] { state.withLock { $0.events } }
        func install(_ certificate: IssuedCertificate) { state.withLock { $0.installed.append(certificate) } }
        func report(_ event: CertificateKeeper.Event) { state.withLock { $0.events.append(event) } }
        var failures: [String] {
            events.compactMap { if case .failed(let why, _) = $0 { why } else { nil } }
        }
    }

    init(_ names: [String] = ["node.example.org"], lifetime: TimeInterval = 90 * 86_400) {
        let challenges = challenges
        let clock = clock
        var behaviour = ScriptedCA.Behaviour { type, _, token in
            type == "http-01" ? challenges.answer(path: HTTPChallenges.path + token) : nil
        }
        behaviour.lifetime = lifetime
        ca = ScriptedCA(behaviour) { clock.now }
        settings = CertificateKeeper.Settings(names: names, directories: [ca.directory])
    }

    var store: CertificateStore { CertificateStore(files) }

    /// A program that has just started. `send`: Instead of the CA itself. `sleep`: Before the clock goes on. `install`: Instead
    /// of serving.
    func start(
        send: WebSend? = nil, sleep: @escaping @Sendable () throws -> Void = {},
        install: (@Sendable (IssuedCertificate) async throws -> Void)? = nil
    ) -> CertificateKeeper {
        let (ca, clock, seen) = (ca, clock, seen)
        let toCA: WebSend = { (request) async throws(ACMEError) in try await ca.send(request) }
        return CertificateKeeper(
            settings: settings, store: store, solvers: [challenges],
            world: .init(
                send: send ?? toCA, now: { clock.now },
                sleep: { seconds in
                    try sleep()
                    clock.advance(by: seconds)
                }, random: { ($0.lowerBound + $0.upperBound) / 2 }),
            install: install ?? { certificate in seen.install(certificate) }, report: { seen.report($0) })
    }
}

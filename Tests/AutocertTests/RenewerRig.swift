import Autocert
import Foundation
import Synchronization
import TestSupport

/// A renewer with a scripted CA, a clock that sleeping advances, and files in memory. A second renewer is a restart.
struct RenewerRig: Sendable {
    let clock = TestDate()
    let files = MemoryFiles()
    let challenges = HTTP01Solver()
    let recorded = Recorder()
    let ca: ScriptedCA
    var settings: CertificateRenewer.Settings

    final class TestDate: Sendable {
        private let state = Mutex(Date(timeIntervalSince1970: 1_800_000_000))
        var now: Date {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
        func advance(by seconds: Double) { state.withLock { $0 = $0.addingTimeInterval(seconds) } }
    }

    /// Records installed certificates and reported events.
    final class Recorder: Sendable {
        private let state = Mutex<(installed: [IssuedCertificate], events: [CertificateRenewer.Event])>(([], []))
        var installed: [IssuedCertificate] { state.withLock { $0.installed } }
        var events: [CertificateRenewer.Event] { state.withLock { $0.events } }
        func install(_ certificate: IssuedCertificate) { state.withLock { $0.installed.append(certificate) } }
        func report(_ event: CertificateRenewer.Event) { state.withLock { $0.events.append(event) } }
        var failures: [String] {
            events.compactMap { if case .failed(let why, _) = $0 { why } else { nil } }
        }
    }

    init(_ names: [String] = ["node.example.org"], lifetime: TimeInterval = 90 * 86_400) {
        let challenges = challenges
        let clock = clock
        var behaviour = ScriptedCA.Behaviour { type, _, token in
            type == "http-01" ? challenges.response(path: HTTP01Solver.path + token) : nil
        }
        behaviour.lifetime = lifetime
        ca = ScriptedCA(behaviour) { clock.now }
        settings = CertificateRenewer.Settings(names: names, directories: [ca.directory])
    }

    var store: CertificateStore { CertificateStore(files) }

    /// Starts a renewer.
    ///
    /// `transport`: Replaces the CA. `sleep`: Runs before the clock advances. `install`: Replaces serving.
    func start(
        transport: ACMETransport? = nil, sleep: @escaping @Sendable () throws -> Void = {},
        install: (@Sendable (IssuedCertificate) async throws -> Void)? = nil
    ) -> CertificateRenewer {
        let (ca, clock, recorded) = (ca, clock, recorded)
        let toCA: ACMETransport = { (request) async throws(ACMEError) in try await ca.send(request) }
        return CertificateRenewer(
            settings: settings, store: store, solvers: [challenges],
            dependencies: .init(
                transport: transport ?? toCA, now: { clock.now },
                sleep: { seconds in
                    try sleep()
                    clock.advance(by: seconds)
                }, random: { ($0.lowerBound + $0.upperBound) / 2 }),
            install: install ?? { certificate in recorded.install(certificate) }, report: { recorded.report($0) })
    }
}

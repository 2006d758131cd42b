import FoundationEssentials
import X509

/// Performs the actions of `OrderStateMachine`.
struct Issuer: Sendable {
    let client: ACMEClient
    let solvers: [any ChallengeSolver]
    let names: [String]
    let profile: String?
    /// The common name of the preferred root, if the CA offers several chains.
    let preferredRoot: String?
    let now: @Sendable () -> Date
    let sleep: @Sendable (Double) async throws -> Void

    /// Runs an order to its end.
    ///
    /// `key`: The certificate's key. A resumed order needs the same one: the order may already contain it.
    /// `onOrder`: Called with the order's URL before anything else is done with it, to persist it in case of a crash.
    func issue(
        _ order: OrderStateMachine, key: Certificate.PrivateKey, onOrder: (String) throws -> Void
    ) async throws -> IssuedCertificate {
        var order = order
        var presented: [(solver: any ChallengeSolver, name: String, token: String)] = []
        var chains: [String] = []
        let result: Result<IssuedCertificate, any Error>
        do {
            var action = order.next(.started, at: now())
            while action != .finish {
                let event = try await perform(action, key, &presented, &chains)
                if case .ordered(let url, _) = event { try onOrder(url) }
                action = order.next(event, at: now())
            }
            result = .success(try select(from: chains, key: try key.pem))
        } catch {
            result = .failure(error)
        }
        for (solver, name, token) in presented {
            guard let authorization = try? client.key.authorization(of: token) else { continue }
            await solver.cleanUp(name: name, token: token, authorization: authorization)
        }
        return try result.get()
    }

    private func perform(
        _ action: OrderStateMachine.Action, _ key: Certificate.PrivateKey,
        _ presented: inout [(solver: any ChallengeSolver, name: String, token: String)], _ chains: inout [String]
    ) async throws -> OrderStateMachine.Event {
        do {
            switch action {
            case .order(let replaces):
                let (url, order) = try await client.order(names, profile: profile, replaces: replaces)
                return .ordered(url: url, order)
            case .fetchOrder(let url):
                let (order, retryAfter): (Order, Date?) = try await client.fetch(url, "order")
                return .order(order, retryAfter: retryAfter)
            case .fetchAuthorization(let url):
                let (authorization, retryAfter): (Authorization, Date?) = try await client.fetch(url, "authorization")
                return .authorization(authorization, retryAfter: retryAfter)
            case .present(let challenge, let name):
                guard let solver = solvers.first(where: { $0.type == challenge.type }), let token = challenge.token
                else { throw ACMEError.noUsableChallenge(name: name, offered: [challenge.type]) }
                presented.append((solver, name, token))
                try await present(solver, name, token)
                return .presented
            case .respond(let challenge):
                try await client.respond(to: challenge)
                return .responded
            case .wait(let seconds):
                try await sleep(seconds)
                return .waited
            case .finalize(let order):
                return .order(
                    try await client.finalize(order, csr: try key.signingRequest(for: names)), retryAfter: nil)
            case .download(let url):
                chains = try await download(url)
                return .downloaded
            case .fail(let error):
                throw Failed(error: error)
            case .finish:
                return .downloaded
            }
        } catch let error as ACMEError {
            return .failed(error)
        } catch let failed as Failed {
            throw failed.error
        }
    }

    /// An error with which the state machine ends the order, unlike one that it may still recover from.
    private struct Failed: Error {
        let error: ACMEError
    }

    private func present(_ solver: any ChallengeSolver, _ name: String, _ token: String) async throws {
        let authorization = try client.key.authorization(of: token)
        do {
            try await solver.present(name: name, token: token, authorization: authorization)
        } catch {
            throw ACMEError.challengeNotPresented(name: name, "\(error)")
        }
    }

    private func download(_ url: String) async throws -> [String] {
        let (pem, alternates) = try await client.download(url)
        var chains = [String(decoding: pem, as: UTF8.self)]
        guard preferredRoot != nil else { return chains }
        // A failed download of an alternate chain does not fail the order.
        for alternate in alternates.prefix(8) {
            if let (pem, _) = try? await client.download(alternate) {
                chains.append(String(decoding: pem, as: UTF8.self))
            }
        }
        return chains
    }

    private func select(from chains: [String], key: String) throws(ACMEError) -> IssuedCertificate {
        var first: IssuedCertificate?
        for chain in chains {
            let certificate: IssuedCertificate
            do throws(CertificateError) {
                certificate = try IssuedCertificate(
                    chainPEM: chain, keyPEM: key, names: names, directory: client.directoryURL, now: now())
            } catch {
                throw .badCertificate(error)
            }
            if let preferredRoot, certificate.endsAt(root: preferredRoot) { return certificate }
            first = first ?? certificate
        }
        guard let first else { throw .malformed("certificate", "it is missing") }
        return first
    }
}

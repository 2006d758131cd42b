import FoundationEssentials
import X509

extension CertificateKeeper {
    /// Orders from one CA and puts everything on record that a crash must not lose.
    func attempt(
        _ directory: String, replacing old: IssuedCertificate?, _ urgency: Schedule.Urgency, _ ledger: inout Ledger
    ) async throws -> Date {
        let authority = ledger.authorities[directory] ?? .init()
        do {
            if authority.mustRehearse, let staging = settings.staging[directory] {
                _ = try await order(from: staging, replacing: nil, &ledger)
                ledger.authorities[directory, default: .init()].mustRehearse = false
                try store.keep(ledger)
            }
            let certificate = try await order(from: directory, replacing: old, &ledger)
            ledger.unreported = certificate.serial
            try store.keep(ledger)
            // On the disk before it is served: what is served and lost would be ordered again.
            try store.keep(certificate)
            ledger.pending = nil
            ledger.authorities[directory] = nil
            ledger.issued.append(world.now())
            (ledger.lastError, ledger.lastErrorAt, ledger.nextAttempt, ledger.advice) = (nil, nil, nil, nil)
            try store.keep(ledger)
            try store.settleRequest()
            do {
                try await serve(certificate, since: world.now())
            } catch {
                throw ACMEError.malformed("certificate", "a handshake with it fails: \(error)")
            }
            await report(.issued(certificate, after: old))
            ledger.unreported = nil
            try store.keep(ledger)
            return world.now()
        } catch let error as ACMEError {
            return try await failed(error, directory, urgency, &ledger)
        }
    }

    private func failed(
        _ error: ACMEError, _ directory: String, _ urgency: Schedule.Urgency, _ ledger: inout Ledger
    ) async throws -> Date {
        let now = world.now()
        // The program is stopping, and nobody is to blame.
        guard !Task.isCancelled else { return now }
        var authority = ledger.authorities[directory] ?? .init()
        authority.failures += 1
        authority.mustRehearse = error.isAboutValidation && settings.staging[directory] != nil
        authority.notBefore = Schedule.retry(
            after: authority.failures, urgency, retryAfter: error.retryAfter, at: now, random: world.random)
        ledger.authorities[directory] = authority
        // What a CA refused for good is not gone on with; what it never answered is.
        if error.endsTheOrder || authority.failures >= 3 { ledger.pending = nil }
        if case .refused(let problem, _) = error, problem.kind == "accountDoesNotExist" {
            let key = try store.account(at: directory).key
            try store.keep(.init(key: key, url: nil), at: directory)
        }
        ledger.note("\(error)", at: now)
        ledger.nextAttempt = authority.notBefore
        try store.keep(ledger)
        await report(.failed("\(error)", next: authority.notBefore))
        // Another CA may be open now.
        return now
    }

    /// One order, begun or gone on with.
    private func order(
        from directory: String, replacing old: IssuedCertificate?, _ ledger: inout Ledger
    ) async throws -> IssuedCertificate {
        let client = try await client(at: directory)
        var pending: Ledger.Pending
        if let known = ledger.pending, known.directory == directory, known.names == settings.names,
            world.now().timeIntervalSince(known.since) < 7 * 86_400
        {
            pending = known
        } else {
            let replaces = old?.directory == directory ? old?.renewalID : nil
            let offersAdvice = try await client.directory().renewalInfo != nil
            pending = Ledger.Pending(
                directory: directory, names: settings.names, keyPEM: try settings.keyType.generate().pem,
                replaces: offersAdvice ? replaces : nil, url: nil, since: world.now())
        }
        if pending.url == nil {
            let recent = ledger.authorities[directory]?.orders.filter { $0 > world.now().addingTimeInterval(-3_600) }
            ledger.authorities[directory, default: .init()].orders = (recent ?? []) + [world.now()]
            await report(.ordering(directory))
        }
        ledger.pending = pending
        try store.keep(ledger)
        let issuer = Issuer(
            client: client, solvers: rotated(by: ledger.authorities[directory]?.failures ?? 0), names: settings.names,
            profile: settings.profile, preferredRoot: settings.preferredRoot, now: world.now, sleep: world.sleep)
        let process = OrderProcess(
            types: issuer.solvers.map(\.type), replaces: pending.replaces, resuming: pending.url)
        return try await issuer.issue(process, key: try Certificate.PrivateKey(pemEncoded: pending.keyPEM)) { url in
            ledger.pending?.url = url
            try store.keep(ledger)
        }
    }

    /// After a failure another kind of challenge comes first.
    private func rotated(by failures: Int) -> [any ChallengeSolver] {
        let first = solvers.isEmpty ? 0 : failures % solvers.count
        return Array(solvers[first...] + solvers[..<first])
    }

    /// A client with an account, registered now if there is none.
    package func client(at directory: String) async throws -> ACMEClient {
        let account = try store.account(at: directory)
        let client = ACMEClient(
            directory: directory, key: account.key, account: account.url, now: world.now, send: world.send)
        // The directory first: it shows whether the clocks agree, before anything is made that depends on them.
        _ = try await client.directory()
        if account.url == nil {
            let url = try await client.register(contact: settings.contact, external: settings.external)
            try store.keep(.init(key: account.key, url: url), at: directory)
        }
        return client
    }
}

extension ACMEError {
    /// Whether nothing more can become of the order.
    fileprivate var endsTheOrder: Bool {
        switch self {
        case .notValidated, .noUsableChallenge, .orderInvalid, .badCertificate, .profileUnknown, .challengeNotPresented:
            true
        case .refused(let problem, _): !["rateLimited", "serverInternal", "badNonce"].contains(problem.kind)
        case .unreachable, .malformed, .clockSkew, .stillProcessing, .externalAccountNeeded: false
        }
    }
}

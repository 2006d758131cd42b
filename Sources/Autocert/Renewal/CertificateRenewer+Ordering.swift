import FoundationEssentials
import X509

extension CertificateRenewer {
    /// Orders from one CA and saves everything that a crash must not lose.
    func attempt(
        _ directory: String, replacing old: IssuedCertificate?, _ urgency: RenewalSchedule.Urgency,
        _ record: inout RenewalRecord
    ) async throws -> Date {
        let authority = record.authorities[directory] ?? .init()
        do {
            if authority.mustUseStaging, let staging = settings.staging[directory] {
                _ = try await order(from: staging, replacing: nil, &record)
                record.authorities[directory, default: .init()].mustUseStaging = false
                try store.save(record)
            }
            let certificate = try await order(from: directory, replacing: old, &record)
            record.unreportedSerial = certificate.serial
            try store.save(record)
            // Saved before it is served: a certificate lost after that would be ordered again.
            try store.save(certificate)
            record.pendingOrder = nil
            record.authorities[directory] = nil
            record.issued.append(dependencies.now())
            (record.lastError, record.lastErrorAt, record.nextAttempt, record.renewalInfo) = (nil, nil, nil, nil)
            try store.save(record)
            try store.clearRenewalRequest()
            do {
                try await serve(certificate, since: dependencies.now())
            } catch {
                throw ACMEError.malformed("certificate", "the TLS self-check handshake fails: \(error)")
            }
            await report(.issued(certificate, after: old))
            record.unreportedSerial = nil
            try store.save(record)
            return dependencies.now()
        } catch let error as ACMEError {
            return try await failed(error, directory, urgency, &record)
        }
    }

    private func failed(
        _ error: ACMEError, _ directory: String, _ urgency: RenewalSchedule.Urgency, _ record: inout RenewalRecord
    ) async throws -> Date {
        let now = dependencies.now()
        // The program is stopping: the error is not the CA's.
        guard !Task.isCancelled else { return now }
        var authority = record.authorities[directory] ?? .init()
        authority.failures += 1
        authority.mustUseStaging = error.needsStagingAttempt && settings.staging[directory] != nil
        authority.notBefore = RenewalSchedule.retry(
            after: authority.failures, urgency, retryAfter: error.retryAfter, at: now, random: dependencies.random)
        record.authorities[directory] = authority
        // A finally refused order is abandoned; one without a response is resumed.
        if error.endsTheOrder || authority.failures >= 3 { record.pendingOrder = nil }
        if case .refused(let problem, _) = error, problem.kind == "accountDoesNotExist" {
            let key = try store.account(at: directory).key
            try store.save(.init(key: key, url: nil), at: directory)
        }
        record.setError("\(error)", at: now)
        record.nextAttempt = authority.notBefore
        try store.save(record)
        await report(.failed("\(error)", next: authority.notBefore))
        // Returns now because another CA may accept an order immediately.
        return now
    }

    /// Places or resumes one order.
    private func order(
        from directory: String, replacing old: IssuedCertificate?, _ record: inout RenewalRecord
    ) async throws -> IssuedCertificate {
        let client = try await client(at: directory)
        var pending: RenewalRecord.PendingOrder
        if let known = record.pendingOrder, known.directory == directory, known.names == settings.names,
            dependencies.now().timeIntervalSince(known.since) < 7 * 86_400
        {
            pending = known
        } else {
            let replaces = old?.directory == directory ? old?.renewalID : nil
            let hasRenewalInfo = try await client.directory().renewalInfo != nil
            pending = RenewalRecord.PendingOrder(
                directory: directory, names: settings.names, keyPEM: try settings.keyType.generate().pem,
                replaces: hasRenewalInfo ? replaces : nil, url: nil, since: dependencies.now())
        }
        if pending.url == nil {
            let recent = record.authorities[directory]?.orders.filter {
                $0 > dependencies.now().addingTimeInterval(-3_600)
            }
            record.authorities[directory, default: .init()].orders = (recent ?? []) + [dependencies.now()]
            await report(.ordering(directory))
        }
        record.pendingOrder = pending
        try store.save(record)
        let issuer = Issuer(
            client: client, solvers: rotated(by: record.authorities[directory]?.failures ?? 0), names: settings.names,
            profile: settings.profile, preferredRoot: settings.preferredRoot, now: dependencies.now,
            sleep: dependencies.sleep)
        let order = OrderStateMachine(
            types: issuer.solvers.map(\.type), replaces: pending.replaces, resuming: pending.url)
        return try await issuer.issue(order, key: try Certificate.PrivateKey(pemEncoded: pending.keyPEM)) { url in
            record.pendingOrder?.url = url
            try store.save(record)
        }
    }

    /// The solvers, rotated so that each failure moves another challenge type to the front.
    private func rotated(by failures: Int) -> [any ChallengeSolver] {
        let first = solvers.isEmpty ? 0 : failures % solvers.count
        return Array(solvers[first...] + solvers[..<first])
    }

    /// A client with a registered account. Registers one if there is none.
    package func client(at directory: String) async throws -> ACMEClient {
        let account = try store.account(at: directory)
        let client = ACMEClient(
            directory: directory, key: account.key, account: account.url, now: dependencies.now,
            transport: dependencies.transport)
        // The directory first: it reveals clock skew before anything is created that depends on the time.
        _ = try await client.directory()
        if account.url == nil {
            let url = try await client.register(contact: settings.contact, external: settings.external)
            try store.save(.init(key: account.key, url: url), at: directory)
        }
        return client
    }
}

extension ACMEError {
    /// Whether the order cannot be completed any more.
    fileprivate var endsTheOrder: Bool {
        switch self {
        case .notValidated, .noUsableChallenge, .orderInvalid, .badCertificate, .profileUnknown, .challengeNotPresented:
            true
        case .refused(let problem, _): !["rateLimited", "serverInternal", "badNonce"].contains(problem.kind)
        case .unreachable, .malformed, .clockSkew, .stillProcessing, .externalAccountNeeded: false
        }
    }
}

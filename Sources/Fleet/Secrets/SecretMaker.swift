import FoundationEssentials

/// Generates the nodes' secrets that need no input: push URLs, root keys, the monitor's certificate.
///
/// The inventory gets the hash of each push token, so that the monitor knows the node even after the loss of its database.
/// Idempotent: existing secrets stay, so that an interrupted run can be completed.
package struct SecretMaker: Sendable {
    private let secrets: SecretStore
    private let file: InventoryFile
    private let dist: String
    private let processes: any ChildProcesses
    /// Unix seconds.
    private let now: Int64

    /// - Parameters:
    ///   - secrets: Stores the secrets.
    ///   - file: The inventory.
    ///   - dist: The directory with the static binaries: `clavitor-node` generates root keys.
    ///   - processes: Runs it, and age.
    ///   - now: Unix seconds.
    package init(
        _ secrets: SecretStore, _ file: InventoryFile, dist: String, processes: any ChildProcesses, now: Int64
    ) {
        (self.secrets, self.file, self.dist, self.processes, self.now) = (secrets, file, dist, processes, now)
    }

    /// - Parameters:
    ///   - node: The node.
    ///   - anew: Existing push URL or monitor's certificate to replace.
    /// - Returns: The generated secrets.
    /// - Throws: `SecretMakerError`, `NodeSecretError`, `AgeSettingsError`.
    package func make(for node: Node, anew: [NodeSecret] = []) async throws -> [NodeSecret] {
        guard anew.allSatisfy({ [.pushURL, .monitorCertificate].contains($0) }) else {
            throw SecretMakerError.notAnew
        }
        let inventory = try file.read()
        var made: [NodeSecret] = []
        if try await makePushURL(node, inventory, anew: anew.contains(.pushURL)) { made.append(.pushURL) }
        if try await makeRootKey(node) { made.append(.rootKey) }
        made += try await makeCertificates(node, inventory, anew: anew.contains(.monitorCertificate))
        return made
    }

    private func makePushURL(_ node: Node, _ inventory: Inventory, anew: Bool) async throws -> Bool {
        let present = anew ? nil : try await secrets.text(.pushURL, of: node)
        let url = present.map { PushURL($0) } ?? .make(at: inventory.fleet.monitor)
        if present == nil { try await secrets.set(.pushURL, of: node, to: url.text) }
        // Also completes an earlier run that was interrupted between secret and inventory.
        if node.pushToken != url.digest {
            try file.edit { try $0.setting("push-token", of: node.name, to: url.digest) }
        }
        return present == nil
    }

    private func makeRootKey(_ node: Node) async throws -> Bool {
        guard try await secrets.text(.rootKey, of: node) == nil else { return false }
        let program = "\(dist)/clavitor-node"
        let outcome = try await processes.run(
            ChildProcess(program, ["root-key", "generate"], deadline: .seconds(30)))
        guard outcome.status == 0 else { throw SecretMakerError.noRootKey(program) }
        try await secrets.set(.rootKey, of: node, to: outcome.output)
        return true
    }

    private func makeCertificates(_ node: Node, _ inventory: Inventory, anew: Bool) async throws -> [NodeSecret] {
        let name = inventory.fleet.monitor
        let (ca, certificate) = (
            try await secrets.text(.monitorCA, of: node), try await secrets.text(.monitorCertificate, of: node)
        )
        // A monitor with a certificate of another CA needs no authority here.
        let isHubs = node.role == .hub && (certificate == nil || anew)
        guard ca == nil || isHubs else { return [] }
        let authority = try await authority(name)
        var made: [NodeSecret] = []
        if ca == nil {
            try await secrets.set(.monitorCA, of: node, to: authority.certificatePEM)
            made.append(.monitorCA)
        }
        if isHubs {
            let issued = try authority.issue(name, now: Date(timeIntervalSince1970: TimeInterval(now)))
            try await secrets.set(.monitorKey, of: node, to: issued.key)
            try await secrets.set(.monitorCertificate, of: node, to: issued.certificate)
            made += [.monitorCertificate, .monitorKey]
        }
        return made
    }

    /// The fleet's authority, created at first use. The key is stored first, because a certificate without it is useless.
    private func authority(_ name: String) async throws -> MonitorAuthority {
        if let key = try await secrets.fleetText("ca.key"), let certificate = try await secrets.fleetText("ca.pem") {
            return try MonitorAuthority(certificatePEM: certificate, keyPEM: key)
        }
        let authority = try MonitorAuthority(for: name, now: Date(timeIntervalSince1970: TimeInterval(now)))
        try await secrets.setFleet("ca.key", to: authority.keyPEM)
        try await secrets.setFleet("ca.pem", to: authority.certificatePEM)
        return authority
    }
}

package enum SecretMakerError: PreconditionError, Equatable, Sendable {
    case notAnew
    case noRootKey(String)

    package var description: String {
        switch self {
        case .notAnew:
            """
            Only push-url and monitor.crt can be replaced. A root key decrypts the existing vaults; rotate it with \
            `clavitor-node root-key rotate`.
            """
        case .noRootKey(let program):
            "\(program) did not generate a root key. Build the binaries (make static), or set their directory: --dist DIR"
        }
    }
}

import Fleet
import Foundation
import TestSupport
import Testing

/// A hub and a spoke with a stand-in for `wg`: a handshake succeeds when the hub accepts the spoke's key.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/wg"))) struct KeyRotationTests {
    private let scratch: Scratch
    private let fleet: RigFleet
    private let keys: KeyStore
    private let old: String

    init() async throws {
        scratch = try Scratch()
        keys = KeyStore(try LocalSecretStore(scratch.file("keys"), age: nil))
        let plain = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")]))
        old = try await keys.generate(try plain.node("tokyo"))
        fleet = try RigFleet(FleetFixture.text(spokes: [("tokyo", "asia")], publicKeys: ["tokyo": old]))
        let tunnel = scratch.file("tunnel")
        try FileManager.default.createDirectory(atPath: tunnel, withIntermediateDirectories: true)
        for name in ["zurich", "tokyo"] {
            let rig = try fleet.rig(name)
            try FileManager.default.createDirectory(atPath: "\(rig.root)/wireguard", withIntermediateDirectories: true)
            try NodeRig.program("\(rig.root)/bin/wg", Self.wg.replacing("TUNNEL", with: tunnel))
            try NodeRig.program("\(rig.root)/bin/systemd-run", Self.systemdRun)
            try NodeRig.program("\(rig.root)/bin/sleep", "exec /bin/sleep 0.1")
        }
        try tokyo.write(try await keys.present(plain.node("tokyo")).privateText, to: "wireguard/private.key")
        try Data(old.utf8).write(to: URL(filePath: "\(tunnel)/admitted"))
        try Data(old.utf8).write(to: URL(filePath: "\(tunnel)/has"))
    }

    private var tokyo: NodeRig { get throws { try fleet.rig("tokyo") } }

    /// Runs detached, with the real time.
    private static let systemdRun = """
        while :; do case $1 in --*) shift ;; *) break ;; esac; done
        unset RIG_NOW
        setsid "$@" >/dev/null 2>&1 </dev/null &
        """

    /// The key that the hub accepts for the address, and the key of the spoke's interface.
    private static let wg = """
        case $1 in
        pubkey) exec /usr/bin/wg pubkey ;;
        show)
            [ ! -e TUNNEL/deaf ] || exit 0
            if [ "$(cat TUNNEL/admitted)" = "$(cat TUNNEL/has)" ]; then
                printf '%s\\t%s\\n' "$(cat TUNNEL/has)" "${RIG_NOW:-$(date +%s)}"
            fi
            ;;
        set)
            case $3 in
            private-key) /usr/bin/wg pubkey <"$4" | tr -d '\\n' >TUNNEL/has ;;
            peer) if [ "$5" = allowed-ips ]; then printf %s "$4" >TUNNEL/admitted; fi; echo "$5 $4" >>TUNNEL/calls ;;
            esac
            ;;
        esac
        """

    private func rotate(timeout: Int = 60, _ adopt: (String) throws -> Void = { _ in }) async throws -> String {
        let program = fleet.program()
        let ssh = SSH(fleet.inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), program.processes)
        let rotation = try KeyRotation(
            try fleet.inventory.node("tokyo"), ssh, keys, NodeRig.paths, clock: ContinuousClock(),
            timeout: timeout)
        return try await rotation.run({ _ in }, adopt: adopt)
    }

    private func tunnel(_ name: String) -> String {
        (try? String(contentsOfFile: scratch.file("tunnel/\(name)"), encoding: .utf8)) ?? ""
    }

    private func file() throws -> String {
        try WireGuardKey(try #require(try tokyo.text("wireguard/private.key"))).publicText
    }

    @Test func bothSidesGetTheNewKey() async throws {
        var adopted: [String] = []
        let new = try await rotate { adopted.append($0) }
        #expect(new != old && adopted == [new])
        #expect(try file() == new && tunnel("has") == new && tunnel("admitted") == new)
        #expect(tunnel("calls").hasSuffix("remove \(old)\n"))
        let kept = try await keys.publicKeys(try fleet.inventory.node("tokyo"))
        #expect(kept.present == new && kept.next == nil)
        #expect(try !tokyo.exists("wireguard/private.key.next"))
    }

    @Test func withoutAHandshakeBothSidesRevert() async throws {
        try Data().write(to: URL(filePath: scratch.file("tunnel/deaf")))
        await #expect(throws: KeyRotationError.notHeard("tokyo")) { try await rotate(timeout: 1) }
        #expect(try file() == old && tunnel("has") == old && tunnel("admitted") == old)
        #expect(try !tokyo.exists("wireguard/private.key.next"))
        // The next run tries the same key.
        try FileManager.default.removeItem(atPath: scratch.file("tunnel/deaf"))
        let next = try await keys.publicKeys(try fleet.inventory.node("tokyo")).next
        #expect(try await rotate() == next)
    }

    /// The program was killed before it changed the inventory.
    @Test func anInterruptedRotationIsResumed() async throws {
        struct Broken: Error {}
        await #expect(throws: Broken.self) { try await rotate { _ in throw Broken() } }
        let calls = tunnel("calls")
        let new = try await rotate()
        #expect(try file() == new)
        #expect(tunnel("calls").dropFirst(calls.count) == "allowed-ips \(new)\nremove \(old)\n")
    }

    @Test func theHubAndUnknownKeysAreRejected() async throws {
        let ssh = SSH(
            fleet.inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), fleet.program().processes)
        let hub = try fleet.inventory.node("zurich")
        #expect(throws: KeyRotationPreconditionError.hub("zurich")) {
            try KeyRotation(hub, ssh, keys, NodeRig.paths, clock: ContinuousClock())
        }
        try FileManager.default.removeItem(atPath: scratch.file("keys/tokyo.key"))
        await #expect(throws: KeyStoreError.madeElsewhere("tokyo")) { try await rotate() }
    }
}

/// Revokes the key of an abandoned machine immediately.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/wg"))) struct KeyReplacementTests {
    private static func ssh(_ fleet: RigFleet) -> SSH {
        SSH(fleet.inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), fleet.program().processes)
    }

    @Test func theHubRemovesTheAddressesOldKey() async throws {
        let scratch = try Scratch()
        let keys = KeyStore(try LocalSecretStore(scratch.file("keys"), age: nil))
        let plain = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")]))
        let old = try await keys.generate(try plain.node("tokyo"))
        let next = try await keys.rotate(try plain.node("tokyo"))
        let fleet = try RigFleet(FleetFixture.text(spokes: [("tokyo", "asia")], publicKeys: ["tokyo": old]))
        let hub = try fleet.rig("zurich")
        let peers = scratch.file("peers")
        let address = try fleet.inventory.node("tokyo").address
        try Data("\(old)\t\(address)/32\n\(next)\t\(address)/32\nother=\t127.0.84.9/32\n".utf8).write(
            to: URL(filePath: peers))
        try NodeRig.program(
            "\(hub.root)/bin/wg",
            """
            case $1 in
            show) cat "\(peers)" ;;
            set) [ "$5" = remove ] && grep -vF "$4" "\(peers)" >"\(peers).new"; mv "\(peers).new" "\(peers)" ;;
            esac
            """)
        let node = try fleet.inventory.node("tokyo")
        var adopted = ""
        let (publicKey, hubSays) = try await KeyReplacement(node, keys).run(Self.ssh(fleet), NodeRig.paths) {
            adopted = $0
        }
        #expect(hubSays == nil && publicKey == adopted && ![old, next].contains(publicKey))
        #expect(try String(contentsOfFile: peers, encoding: .utf8) == "other=\t127.0.84.9/32\n")
        #expect(try await keys.present(node).publicText == publicKey)
        #expect(try await keys.publicKeys(node).next == nil)
    }

    /// The key is generated without the hub, and the report says that the old key is not revoked yet.
    @Test func anUnreachableHubIsReported() async throws {
        let scratch = try Scratch()
        let keys = KeyStore(try LocalSecretStore(scratch.file("keys"), age: nil))
        let fleet = try RigFleet(FleetFixture.text(spokes: [("tokyo", "asia")]))
        try NodeRig.program("\(fleet.rig("zurich").root)/bin/wg", "echo no >&2; exit 1")
        let node = try fleet.inventory.node("tokyo")
        let (publicKey, hubSays) = try await KeyReplacement(node, keys).run(Self.ssh(fleet), NodeRig.paths) { _ in }
        #expect(!publicKey.isEmpty && hubSays != nil)
    }
}

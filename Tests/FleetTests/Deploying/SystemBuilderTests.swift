import Fleet
import Foundation
import TestSupport
import Testing

/// Uses the real nix with a flake whose systems are small files, so that nothing is downloaded.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/nix") && getuid() == 0))
struct SystemBuilderTests {
    private let scratch: Scratch
    private let nodes: [Node]

    init() throws {
        scratch = try Scratch()
        nodes = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")])).nodes
        try FileManager.default.createDirectory(atPath: scratch.file("dist"), withIntermediateDirectories: false)
        try scratch.write(Array("v2".utf8), to: "dist/clavitor-node")
        let flake = """
            {
              inputs.nixpkgs = { url = "git+file://\(scratch.file("nixpkgs"))"; flake = false; };
              inputs.dist = { url = "path:../dist"; flake = false; };
              outputs = { self, nixpkgs, dist }: {
                nixosConfigurations = builtins.listToAttrs (map (name: {
                  inherit name;
                  value.config.system.build.toplevel = derivation {
                    name = "system-${name}";
                    system = "x86_64-linux";
                    builder = "/bin/sh";
                    args = [ "-c" "echo ${builtins.readFile "${dist}/clavitor-node"} ${builtins.readFile "${nixpkgs}/version"} > $out" ];
                    allowSubstitutes = false;
                  };
                }) [ "zurich" "tokyo" ]);
              };
            }
            """
        for folder in ["nix", "nixpkgs"] {
            try FileManager.default.createDirectory(atPath: scratch.file(folder), withIntermediateDirectories: false)
        }
        try scratch.write(Array(flake.utf8), to: "nix/flake.nix")
        try Self.git(["init", "--quiet"], in: scratch.file("nixpkgs"))
        try publish("1")
    }

    private static func git(_ words: [String], in folder: String) throws {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        _ = try Tool("/usr/bin/git", ["-C", folder] + identity + words)
    }

    /// The next revision of nixpkgs.
    private func publish(_ version: String) throws {
        try scratch.write(Array(version.utf8), to: "nixpkgs/version")
        try Self.git(["add", "."], in: scratch.file("nixpkgs"))
        try Self.git(["commit", "--quiet", "-m", version], in: scratch.file("nixpkgs"))
    }

    private var flake: Flake { get throws { try Flake(scratch.file("nix"), dist: scratch.file("dist")) } }

    @Test func withoutALockNothingIsBuilt() async throws {
        await #expect(throws: FlakePreconditionError.noLock(try flake.lockPath)) {
            try await SystemBuilder(SystemProcesses()).build(nodes, try flake)
        }
        #expect(!FileManager.default.fileExists(atPath: try flake.lockPath))
    }

    @Test func everyNodeGetsItsSystem() async throws {
        let (before, pinned) = try await FlakeUpdate(try flake, SystemProcesses()).run()
        #expect(before == nil)
        let release = try await SystemBuilder(SystemProcesses()).build(nodes, try flake)
        #expect(release.revision == pinned.revision && pinned.revision.count == 40)
        #expect(release.systems.keys.sorted() == ["tokyo", "zurich"])
        for (node, path) in release.systems {
            #expect(path.hasPrefix("/nix/store/") && path.hasSuffix("-system-\(node)"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "v2 1\n")
            #expect(try #require(release.sizes[node]) > 0)
        }
    }

    @Test func aFailedBuildIsReported() async throws {
        _ = try await FlakeUpdate(try flake, SystemProcesses()).run()
        let others = try Inventory(toml: FleetFixture.text(spokes: [("lagos", "africa")])).nodes
        let error = await #expect(throws: FlakePreconditionError.self) {
            try await SystemBuilder(SystemProcesses()).build(others, try flake)
        }
        #expect("\(try #require(error))".contains("lagos"))
        #expect(throws: FlakePreconditionError.self) { try Flake(scratch.file("none"), dist: scratch.file("dist")) }
    }

    /// A build uses the locked nixpkgs until an update is requested.
    @Test func theLockIsUpdatedOnRequest() async throws {
        let builder = SystemBuilder(SystemProcesses())
        let (_, first) = try await FlakeUpdate(try flake, SystemProcesses()).run()
        try publish("2")
        let old = try await builder.build(nodes, try flake)
        #expect(old.revision == first.revision)
        let (before, now) = try await FlakeUpdate(try flake, SystemProcesses()).run()
        #expect(before == first && now != first)
        let new = try await builder.build(nodes, try flake)
        #expect(try String(contentsOfFile: try #require(new.systems["tokyo"]), encoding: .utf8) == "v2 2\n")
        // The lock does not contain a local path.
        #expect(!String(decoding: try scratch.read("nix/flake.lock"), as: UTF8.self).contains(scratch.file("dist")))
        #expect(try await FlakeUpdate(try flake, SystemProcesses()).run().now == now)
    }

    @Test func aFailedUpdateKeepsTheLock() async throws {
        _ = try await FlakeUpdate(try flake, SystemProcesses()).run()
        let before = try scratch.read("nix/flake.lock")
        try FileManager.default.removeItem(atPath: scratch.file("nixpkgs"))
        await #expect(throws: FlakePreconditionError.self) { try await FlakeUpdate(try flake, SystemProcesses()).run() }
        #expect(try scratch.read("nix/flake.lock") == before)
    }

    @Test func anInventoryOutsideTheFlakeIsRejected() async throws {
        let named = InventoryFile(try scratch.write(Array(FleetFixture.text().utf8), to: "fleet.toml"))
        try scratch.write(Array((FleetFixture.text() + "\n").utf8), to: "nix/fleet.toml")
        let error = #expect(throws: FlakePreconditionError.self) { try flake.check(named) }
        let said = "\(try #require(error))"
        #expect(said.contains(named.path) && said.contains(scratch.file("nix/fleet.toml")))
        try scratch.write(Array(FleetFixture.text().utf8), to: "nix/fleet.toml")
        try flake.check(named)
    }
}

@Suite struct SystemListTests {
    private func read(_ text: String) async throws -> Release {
        let scratch = try Scratch()
        let nodes = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")])).nodes
        return try await SystemBuilder(InstantProcesses(silent: [])).read(
            try scratch.write(Array(text.utf8), to: "systems.json"), for: nodes)
    }

    @Test func onlyRequestedSystemsAreListed() async throws {
        let release = try await read(#"{"tokyo":"/nix/store/a","oslo":"/nix/store/b"}"#)
        #expect(release.systems == ["tokyo": "/nix/store/a"])
    }

    @Test(arguments: ["", "[]", #"{"tokyo":5}"#, #"{"tokyo":"store/a"}"#, #"{"tokyo":"/nix/store/a b"}"#])
    func anInvalidListIsRejected(_ text: String) async throws {
        await #expect(throws: FlakePreconditionError.self) { try await read(text) }
    }
}

@Suite struct FlakeLockTests {
    static let text = """
        {
          "nodes": {
            "dist": { "flake": false, "locked": { "path": "../dist", "type": "path" } },
            "nixpkgs": {
              "locked": { "lastModified": 1795998277, "narHash": "sha256-e7px", "rev": "ddda066b26f39162", "type": "github" },
              "original": { "owner": "NixOS", "ref": "nixos-26.05", "repo": "nixpkgs", "type": "github" }
            },
            "root": { "inputs": { "dist": "dist", "nixpkgs": "nixpkgs", "same": [ "nixpkgs" ] } }
          },
          "root": "root",
          "version": 7
        }
        """

    @Test func pinnedRevisionsAreRead() throws {
        let lock = try FlakeLock(Self.text, path: "flake.lock")
        #expect(lock.revision == "ddda066b26f39162")
        #expect(lock.branch == "nixos-26.05")
        #expect(lock.summary == "ddda066b26f3 (2026-11-30)")
        let hashed = try FlakeLock(Self.text.replacing("\"rev\": \"ddda066b26f39162\", ", with: ""), path: "flake.lock")
        #expect(hashed.revision == "sha256-e7px")
    }

    @Test func noTruncationIsRead() {
        for length in 0..<(Self.text.count - 1) {
            #expect(throws: FlakePreconditionError.self) {
                try FlakeLock(String(Self.text.prefix(length)), path: "flake.lock")
            }
        }
        #expect(throws: FlakePreconditionError.self) {
            try FlakeLock(Self.text.replacing("\"nixpkgs\": \"nixpkgs\"", with: "\"other\": \"nixpkgs\""), path: "f")
        }
    }
}

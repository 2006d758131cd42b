import Foundation
import TestSupport
import Testing

@testable import Fleet

/// With the real nix, and a flake whose systems are files of a few bytes: nothing is fetched.
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
              inputs.dist = { url = "path:/nowhere"; flake = false; };
              outputs = { self, dist }: {
                nixosConfigurations = builtins.listToAttrs (map (name: {
                  inherit name;
                  value.config.system.build.toplevel = derivation {
                    name = "system-${name}";
                    system = "x86_64-linux";
                    builder = "/bin/sh";
                    args = [ "-c" "echo ${builtins.readFile "${dist}/clavitor-node"} > $out" ];
                    allowSubstitutes = false;
                  };
                }) [ "zurich" "tokyo" ]);
              };
            }
            """
        try FileManager.default.createDirectory(atPath: scratch.file("nix"), withIntermediateDirectories: false)
        try scratch.write(Array(flake.utf8), to: "nix/flake.nix")
    }

    @Test func everyNodeGetsItsSystem() async throws {
        let release = try await SystemBuilder(SystemProcesses()).build(
            nodes, flake: "path:\(scratch.file("nix"))", dist: scratch.file("dist"))
        #expect(release.systems.keys.sorted() == ["tokyo", "zurich"])
        for (node, path) in release.systems {
            #expect(path.hasPrefix("/nix/store/") && path.hasSuffix("-system-\(node)"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "v2\n")
            #expect(try #require(release.sizes[node]) > 0)
        }
    }

    @Test func whatCannotBeBuiltIsRefusedInWords() async throws {
        let error = await #expect(throws: DeployRefusal.self) {
            try await SystemBuilder(SystemProcesses()).build(
                nodes, flake: "path:\(scratch.file("none"))", dist: scratch.file("dist"))
        }
        #expect("\(try #require(error))".contains("zurich"))
    }
}

@Suite struct SystemListTests {
    private func read(_ text: String) async throws -> Release {
        let scratch = try Scratch()
        let nodes = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")])).nodes
        return try await SystemBuilder(InstantProcesses(silent: [])).read(
            try scratch.write(Array(text.utf8), to: "systems.json"), for: nodes)
    }

    @Test func othersThanThoseAskedForAreLeftOut() async throws {
        let release = try await read(#"{"tokyo":"/nix/store/a","oslo":"/nix/store/b"}"#)
        #expect(release.systems == ["tokyo": "/nix/store/a"])
    }

    @Test(arguments: ["", "[]", #"{"tokyo":5}"#, #"{"tokyo":"store/a"}"#, #"{"tokyo":"/nix/store/a b"}"#])
    func whatIsNoListIsRefused(_ text: String) async throws {
        await #expect(throws: DeployRefusal.self) { try await read(text) }
    }
}

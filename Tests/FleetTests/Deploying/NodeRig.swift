import Files
import Fleet
import Foundation
import TestSupport

/// A directory in place of a machine: the scripts' paths are relative to it, and `bin` has stand-ins for NixOS' programs.
struct NodeRig: Sendable {
    let root: String

    /// Paths for every rig, relative to its root, which is the scripts' working directory.
    static let paths: NodePaths = {
        var paths = NodePaths()
        paths.state = "state"
        paths.current = "current-system"
        paths.profile = "profiles/system"
        paths.store = "store"
        paths.gcRoots = "gcroots"
        paths.bootID = "boot_id"
        paths.systemdRun = "bin/systemd-run"
        paths.systemctl = "bin/systemctl"
        paths.nixEnv = "bin/nix-env"
        // Not the program's real name, which nix-copy-closure starts.
        paths.nixStore = "bin/nix-store-stand-in"
        paths.admin = "bin/clavitor-admin"
        paths.wireguard = "wireguard"
        paths.wg = "bin/wg"
        return paths
    }()

    /// A machine that runs its first generation.
    init(_ root: String) throws {
        self.root = root
        for folder in ["", "/bin", "/store", "/profiles", "/units", "/gcroots"] {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        for (name, text) in StandIns.all { try Self.program("\(root)/bin/\(name)", text) }
        try write("active\n", to: "unit")
        try write("boot-1\n", to: "boot_id")
        let first = try install("first", health: "ready 1.0")
        try link("current-system", to: first)
        try link("profiles/system-1-link", to: first)
        try link("profiles/system", to: "system-1-link")
    }

    func system(_ name: String) -> String { "\(root)/store/\(name)" }

    /// Installs a system whose activation takes `delay` seconds and exits with `status`.
    /// `health`: The result of a probe afterwards: `ready VERSION` or a problem.
    @discardableResult
    func install(_ name: String, health: String, status: Int = 0, delay: Double = 0) throws -> String {
        let path = system(name)
        try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
        try Data(health.utf8).write(to: URL(filePath: path + "/health"))
        try Self.program(
            path + "/bin/switch-to-configuration",
            """
            echo "$1 \(name)" >>switches
            [ "$1" = boot ] && exit 0
            sleep \(delay)
            ln -sfn "\(path)" current-system
            exit \(status)
            """)
        return path
    }

    var current: String { get throws { try destination("current-system") } }

    /// The boot default.
    var profile: String { get throws { try destination("profiles/" + destination("profiles/system")) } }

    /// The result of a probe.
    var health: NodeHealth {
        let text = (try? String(contentsOfFile: "\(root)/current-system/health", encoding: .utf8)) ?? "nothing runs"
        return text.hasPrefix("ready ") ? .ready(version: String(text.dropFirst(6))) : .notReady(text)
    }

    func text(_ name: String) -> String? { try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) }

    func exists(_ name: String) -> Bool { File.exists("\(root)/\(name)") }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(root)/\(name)"))
    }

    func destination(_ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(name)")
    }

    private func link(_ name: String, to destination: String) throws {
        try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: destination)
    }

    static func program(_ path: String, _ text: String) throws {
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
}

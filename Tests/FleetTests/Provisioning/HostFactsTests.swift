import Foundation
import TestSupport
import Testing

@testable import Fleet

@Suite struct HostFactsTests {
    /// What the script printed on a Debian 12 with 512 MB that boots by BIOS.
    static let text = """
        system=debian 12
        architecture=x86_64
        user=0
        systemd=yes
        container=
        firmware=bios
        esp=
        filesystem=ext4
        memory=467000
        free=8000000
        root=/dev/vda1
        lacking=

        """
    static let disk = NodeDisk(disk: "/dev/vda", root: "/dev/vda1")
    static let uefi = NodeDisk(disk: "/dev/vda", root: "/dev/vda1", esp: "/dev/vda15")

    /// Its name decides nothing: what the conversion needs does.
    @Test(arguments: ["debian 12", "debian 13", "ubuntu 22.04", "ubuntu 24.04", "unknown"])
    func whatHasAllThatIsNeededIsFit(_ system: String) throws {
        let facts = try HostFacts(Self.text.replacing("debian 12", with: system))
        #expect(facts.problems(for: Self.disk) == [])
        #expect(facts.system == system)
    }

    @Test func aMachineWithUEFINamesItsPartition() throws {
        let text = Self.text.replacing("bios", with: "uefi").replacing("esp=", with: "esp=/dev/vda15")
        #expect(try HostFacts(text).problems(for: Self.uefi) == [])
        #expect(
            try HostFacts(text).problems(for: Self.disk) == [
                "it boots by UEFI: set the node's `esp`, here \"/dev/vda15\""
            ])
        let other = text.replacing("/dev/vda15", with: "/dev/vda1")
        #expect(try HostFacts(other).problems(for: Self.uefi).count == 1)
        #expect(try HostFacts(Self.text).problems(for: Self.uefi).first?.contains("BIOS") == true)
    }

    @Test(arguments: [
        ("x86_64", "aarch64", "not x86_64"), ("user=0", "user=1000", "does not open root"),
        ("memory=467000", "memory=230000", "224 MB"), ("free=8000000", "free=4000000", "3 GB"),
        ("root=/dev/vda1", "root=/dev/sda1", "/ is on /dev/sda1"), ("systemd=yes", "systemd=no", "systemd"),
        ("container=", "container=lxc", "container (lxc)"), ("ext4", "btrfs", "btrfs"),
        ("lacking=", "lacking= curl xzcat", "lacks curl, xzcat"),
    ])
    func whatIsWrongIsSaid(_ right: String, _ wrong: String, _ expected: String) throws {
        let problems = try HostFacts(Self.text.replacing(right, with: wrong)).problems(for: Self.disk)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test func noTruncationIsRead() {
        for length in 0..<(Self.text.count - 10) {
            #expect(throws: ProvisionError.self) { try HostFacts(String(Self.text.prefix(length))) }
        }
    }

    @Test func thisMachineAnswers() async throws {
        let facts = try await HostFacts.ask(LocalShell())
        #expect(facts.memory > 0)
        #expect(facts.free > 0)
        #expect(!facts.root.isEmpty && facts.fileSystem != "unknown" && facts.system != "unknown")
        #expect(!facts.lacking.contains("bash"))
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck")))
    func theScriptPassesShellcheck() throws {
        let said = try output(
            of: "/usr/bin/shellcheck", ["-s", "sh", "--exclude=SC1091", "-"], input: HostFacts.script)
        #expect(said.isEmpty, "\(said)")
    }
}

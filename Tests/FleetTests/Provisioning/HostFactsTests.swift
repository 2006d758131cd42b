import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct HostFactsTests {
    /// Recorded output of the script on systems of debootstrap in QEMU, with 512 MB of memory and a disk of 10 GB.
    static let text = """
        system=debian 12
        architecture=x86_64
        user=0
        systemd=yes
        container=
        firmware=bios
        esp=
        filesystem=ext4
        memory=468416
        free=8735592
        root=/dev/vda1
        lacking=

        """
    static let debian13 = """
        system=debian 13
        architecture=x86_64
        user=0
        systemd=yes
        container=
        firmware=bios
        esp=
        filesystem=ext4
        memory=475240
        free=8980136
        root=/dev/vda1
        lacking=

        """
    static let debian13WithUEFI = """
        system=debian 13
        architecture=x86_64
        user=0
        systemd=yes
        container=
        firmware=uefi
        esp=/dev/vda15
        filesystem=ext4
        memory=469464
        free=8980140
        root=/dev/vda1
        lacking=

        """
    static let disk = NodeDisk(disk: "/dev/vda", root: "/dev/vda1")
    static let uefi = NodeDisk(disk: "/dev/vda", root: "/dev/vda1", esp: "/dev/vda15")

    @Test(arguments: [(text, disk, "debian 12"), (debian13, disk, "debian 13"), (debian13WithUEFI, uefi, "debian 13")])
    func debianIsSupported(_ recorded: String, _ disk: NodeDisk, _ system: String) throws {
        let facts = try HostFacts(recorded)
        #expect(facts.problems(for: disk) == [])
        #expect(facts.system == system)
    }

    /// The requirements of the conversion are checked, not the system's name. The output is not a recorded one of Ubuntu.
    @Test(arguments: ["ubuntu 22.04", "ubuntu 24.04", "unknown"])
    func aSystemWithAllRequirementsIsSupported(_ system: String) throws {
        #expect(try HostFacts(Self.text.replacing("debian 12", with: system)).problems(for: Self.disk) == [])
    }

    @Test func theUEFIPartitionIsReported() throws {
        let text = Self.debian13WithUEFI
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
        ("memory=468416", "memory=230000", "224 MB"), ("free=8735592", "free=4000000", "3 GB"),
        ("root=/dev/vda1", "root=/dev/sda1", "/ is on /dev/sda1"), ("systemd=yes", "systemd=no", "systemd"),
        ("container=", "container=lxc", "container (lxc)"), ("ext4", "btrfs", "btrfs"),
        ("lacking=", "lacking= curl xzcat", "lacks curl, xzcat"),
    ])
    func problemsAreReported(_ right: String, _ wrong: String, _ expected: String) throws {
        let problems = try HostFacts(Self.text.replacing(right, with: wrong)).problems(for: Self.disk)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) == true, "\(problems)")
    }

    @Test func noTruncationIsRead() {
        for length in 0..<(Self.text.count - 10) {
            #expect(throws: ProvisionError.self) { try HostFacts(String(Self.text.prefix(length))) }
        }
    }

    @Test func factsOfThisMachineAreParsed() async throws {
        let facts = try await HostFacts.ask(LocalShell())
        #expect(facts.memory > 0)
        #expect(facts.free > 0)
        #expect(!facts.root.isEmpty && facts.fileSystem != "unknown" && facts.system != "unknown")
        #expect(!facts.lacking.contains("bash"))
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/shellcheck")))
    func theScriptPassesShellcheck() throws {
        let said = try Tool("/usr/bin/shellcheck", ["-s", "sh", "--exclude=SC1091", "-"], input: HostFacts.script)
            .output
        #expect(said.isEmpty, "\(said)")
    }
}

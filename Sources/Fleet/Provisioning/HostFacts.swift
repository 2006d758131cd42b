/// Facts about a fresh machine that decide whether it can be converted. Its distribution is informative only.
package struct HostFacts: Equatable, Sendable {
    package enum Firmware: String, Sendable { case bios, uefi }

    /// For display, such as `debian 12`.
    package var system: String
    package var architecture: String
    package var isRoot: Bool
    /// Whether it runs systemd, which runs the conversion independently of the connection.
    package var hasSystemd: Bool
    /// The container technology, because a container's kernel cannot be replaced; empty for none.
    package var container: String
    package var firmware: Firmware
    /// The EFI system partition's device; empty if none is mounted.
    package var esp: String
    /// Kibibytes.
    package var memory: Int
    /// Free kibibytes on `/`.
    package var free: Int
    /// The device of `/`.
    package var root: String
    /// The file system of `/`.
    package var fileSystem: String
    /// Programs that nixos-infect needs and cannot install.
    package var lacking: [String]

    /// Collects the facts without changing anything. nixos-infect installs download and unpacking programs itself with a
    /// package manager that it supports.
    package static let script = """
        set -eu
        ID=unknown VERSION_ID=
        if [ -r /etc/os-release ]; then . /etc/os-release; fi
        echo "system=$ID${VERSION_ID:+ $VERSION_ID}"
        echo "architecture=$(uname -m)"
        echo "user=$(id -u)"
        if [ -d /run/systemd/system ]; then echo systemd=yes; else echo systemd=no; fi
        echo "container=$(systemd-detect-virt --container 2>/dev/null | grep -v '^none$' || true)"
        if [ -d /sys/firmware/efi ]; then echo firmware=uefi; else echo firmware=bios; fi
        esp=
        while read -r device place kind _; do
            case $place in
            /boot | /boot/efi | /efi) if [ "$kind" = vfat ]; then esp=$device; fi ;;
            /) file_system=$kind ;;
            esac
        done </proc/mounts
        echo "esp=$esp"
        echo "filesystem=${file_system:-unknown}"
        while read -r key value _; do
            if [ "$key" = MemTotal: ]; then echo "memory=$value"; fi
        done </proc/meminfo
        df -Pk / | { read -r _; read -r device _ _ free _; echo "free=$free"; echo "root=$device"; }
        there() { command -v "$1" >/dev/null 2>&1; }
        lacking=
        for program in bash awk cut groupadd ip sha256sum useradd; do
            there "$program" || lacking="$lacking $program"
        done
        if ! there apt-get && ! there dnf && ! there yum; then
            there curl || there wget || lacking="$lacking curl"
            for program in bzcat xzcat; do there "$program" || lacking="$lacking $program"; done
        fi
        echo "lacking=$lacking"
        """

    package static func ask(_ shell: some RemoteShell) async throws -> HostFacts {
        try HostFacts(try await shell.run(.script(script), input: nil, deadline: .seconds(60)))
    }

    /// Parses the output of the script.
    package init(_ text: String) throws(ProvisionError) {
        var values: [Substring: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = String(line[line.index(after: equals)...])
        }
        func value(_ key: Substring) throws(ProvisionError) -> String {
            guard let value = values[key] else { throw .unreadable(String(key)) }
            return value
        }
        func number(_ key: Substring) throws(ProvisionError) -> Int {
            guard let number = Int(try value(key)) else { throw .unreadable(String(key)) }
            return number
        }
        guard let firmware = Firmware(rawValue: try value("firmware")) else { throw .unreadable("firmware") }
        self.firmware = firmware
        system = try value("system")
        architecture = try value("architecture")
        isRoot = try value("user") == "0"
        hasSystemd = try value("systemd") == "yes"
        container = try value("container")
        esp = try value("esp")
        memory = try number("memory")
        free = try number("free")
        root = try value("root")
        fileSystem = try value("filesystem")
        lacking = try value("lacking").split(separator: " ").map(String.init)
    }

    /// Why the machine cannot be converted; empty if it can. The node's own system boots only from the disk in the inventory.
    package func problems(for disk: NodeDisk?) -> [String] {
        var problems = broken([
            (architecture != "x86_64", "its architecture is \(architecture), not x86_64"),
            (!isRoot, "the key does not open root"),
            (!container.isEmpty, "it is a container (\(container)), whose kernel cannot be replaced"),
            (!hasSystemd, "it does not run systemd"),
            (!lacking.isEmpty, "it lacks \(lacking.joined(separator: ", "))"),
            // MemTotal does not include the kernel's own memory.
            (memory < 400 << 10, "it has \(memory >> 10) MB of memory, and 400 are required"),
            (free < 5 << 20, "\(free >> 20) GB are free on /, and 5 are required"),
            (fileSystem != "ext4", "/ is \(fileSystem), but nix/node.nix mounts ext4"),
        ])
        guard let disk else { return problems }
        let expected = disk.esp == nil ? Firmware.bios : .uefi
        problems += broken([
            (
                root != disk.root,
                "/ is on \(root), and the inventory says \(disk.root): set the node's `root` and `disk`"
            ),
            (
                firmware != expected,
                firmware == .uefi
                    ? "it boots by UEFI: set the node's `esp`, here \"\(esp)\""
                    : "it boots by BIOS, and the inventory names an `esp`: set the node's `esp` to \"\""
            ),
            (
                firmware == .uefi && expected == .uefi && esp != disk.esp,
                "its EFI system partition is \(esp), and the inventory says \(disk.esp ?? ""): set the node's `esp`"
            ),
        ])
        return problems
    }
}

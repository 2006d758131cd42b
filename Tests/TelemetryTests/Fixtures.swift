import Foundation
import Telemetry
import TestSupport

/// Kernel texts of a small NixOS node.
enum Fixtures {
    static let meminfo = """
        MemTotal:         489732 kB
        MemFree:           61200 kB
        MemAvailable:     344132 kB
        Buffers:            3184 kB
        SwapCached:            0 kB
        Active(anon):       1588 kB
        SwapTotal:        524284 kB
        SwapFree:         511996 kB
        Zswap:                 ? kB
        HugePages_Total:       0
        DirectMap4k:       26624 kB

        """
    static let stat = """
        cpu  180387 11 31919 1107978 726 0 342 253 40 2
        cpu0 180387 11 31919 1107978 726 0 342 253 40 2
        intr 1174742 0 0 0
        ctxt 991

        """
    static let loadavg = "0.37 0.69 0.40 1/163 12154\n"
    static let uptime = "864000.27 11079.77\n"
    static let status = """
        Name:\tclavitor-node
        Umask:\t0022
        VmPeak:\t  103060 kB
        VmRSS:\t   27648 kB
        RssAnon:\t    2116 kB
        Threads:\t4

        """
    static let limits = """
        Limit                     Soft Limit           Hard Limit           Units     
        Max cpu time              unlimited            unlimited            seconds   
        Max open files            1024                 524288               files     
        Max locked memory         8388608              8388608              bytes     

        """
    static let pressure = """
        some avg10=1.04 avg60=0.64 avg300=0.67 total=12443321
        full avg10=0.00 avg60=0.00 avg300=0.06 total=5504354

        """
    static let ioPressure = """
        some avg10=2.55 avg60=0.64 avg300=0.67 total=12443321
        full avg10=0.00 avg60=0.00 avg300=0.06 total=5504354

        """

    /// Creates a directory that looks like a machine's root.
    static func machine(in folder: Scratch) throws -> Machine {
        for (path, text) in [
            "proc/meminfo": meminfo, "proc/stat": stat, "proc/loadavg": loadavg, "proc/uptime": uptime,
            "proc/self/status": status, "proc/self/limits": limits, "proc/pressure/memory": pressure,
            "proc/pressure/io": ioPressure, "proc/self/fd/0": "", "proc/self/fd/1": "", "proc/self/fd/2": "",
        ] {
            try folder.write(text, to: path)
        }
        try folder.link("nix/var/nix/profiles/system", to: "system-42-link")
        var machine = Machine.host(data: "/", root: folder.path)
        machine.space = { DiskSpace(used: 3200 << 20, available: 7040 << 20) }
        return machine
    }
}

extension Scratch {
    func link(_ name: String, to target: String) throws {
        let link = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: target)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
}

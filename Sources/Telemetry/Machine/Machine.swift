/// The machine that the node runs on. Asks the kernel; the parsers know what the answers mean.
package struct Machine: Sendable {
    /// Texts of files, by absolute path.
    package var read: @Sendable (String) throws -> String
    /// Targets of symbolic links.
    package var readLink: @Sendable (String) throws -> String
    /// How many entries a folder has.
    package var count: @Sendable (String) throws -> Int
    /// Room on the file system that holds the data.
    package var space: @Sendable () throws -> DiskSpace

    package init(
        read: @escaping @Sendable (String) throws -> String, readLink: @escaping @Sendable (String) throws -> String,
        count: @escaping @Sendable (String) throws -> Int, space: @escaping @Sendable () throws -> DiskSpace
    ) {
        self.read = read
        self.readLink = readLink
        self.count = count
        self.space = space
    }

    /// All figures of one moment. Nil is one that is not known; `failures` says why, unless it is no fault.
    package struct Figures: Sendable {
        package var memory: MemoryInfo?
        package var processor: ProcessorTime?
        package var load: LoadAverage?
        package var uptime: Uptime?
        package var process: OwnProcess?
        package var openFiles: OpenFiles?
        package var disk: DiskSpace?
        package var memoryPressure: Pressure?
        package var diskPressure: Pressure?
        package var generation = SystemGeneration(linkTarget: nil)
        /// By figure.
        package var failures: [String: String] = [:]

        package init() {}
    }

    package func figures() -> Figures {
        var figures = Figures()
        func ask<Value>(_ figure: String, _ path: String, _ parse: (String) throws -> Value) -> Value? {
            do {
                return try parse(try read(path))
            } catch {
                figures.failures[figure] = "\(path): \(error)"
                return nil
            }
        }
        // Where there are no control groups, there is no limit of theirs.
        let group = (try? read("/proc/self/cgroup")).flatMap { GroupMemory(groups: $0, read: read) }
        let memory = ask("memory", "/proc/meminfo") { try MemoryInfo(meminfo: $0).within(group) }
        let processor = ask("processor", "/proc/stat") { try ProcessorTime(stat: $0) }
        let load = ask("load", "/proc/loadavg") { try LoadAverage(loadavg: $0) }
        let uptime = ask("uptime", "/proc/uptime") { try Uptime(uptime: $0) }
        let process = ask("process", "/proc/self/status") { try OwnProcess(status: $0) }
        let openFiles = ask("open files", "/proc/self/limits") {
            try OpenFiles(count: try count("/proc/self/fd"), limits: $0)
        }
        (figures.memory, figures.processor, figures.load) = (memory, processor, load)
        (figures.uptime, figures.process, figures.openFiles) = (uptime, process, openFiles)
        do {
            figures.disk = try space()
        } catch {
            figures.failures["disk"] = "\(error)"
        }
        // Many kernels have no pressure figures, or have the files and refuse to read them (psi=0). No fault of anybody.
        figures.memoryPressure = (try? read("/proc/pressure/memory")).flatMap { try? Pressure(pressure: $0) }
        figures.diskPressure = (try? read("/proc/pressure/io")).flatMap { try? Pressure(pressure: $0) }
        figures.generation = SystemGeneration(linkTarget: try? readLink("/nix/var/nix/profiles/system"))
        return figures
    }
}

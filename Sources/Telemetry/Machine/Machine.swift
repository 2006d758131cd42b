/// Access to the kernel's values of the machine. Parsers interpret the texts.
package struct Machine: Sendable {
    /// Reads a file by absolute path.
    package var read: @Sendable (String) throws -> String
    /// Reads the target of a symbolic link.
    package var readLink: @Sendable (String) throws -> String
    /// Counts the entries of a directory.
    package var count: @Sendable (String) throws -> Int
    /// Measures the file system of the data.
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

    /// All values of one moment. Nil for unknown values; `failures` contains the reason, unless it is not a fault.
    package struct Measurements: Sendable {
        package var memory: MemoryInfo?
        package var processor: ProcessorTime?
        package var load: LoadAverage?
        package var uptime: Uptime?
        package var process: CurrentProcess?
        package var openFiles: OpenFiles?
        package var disk: DiskSpace?
        package var memoryPressure: Pressure?
        package var diskPressure: Pressure?
        package var generation = SystemGeneration(linkTarget: nil)
        /// Reasons by value.
        package var failures: [String: String] = [:]

        package init() {}
    }

    package func measure() -> Measurements {
        var measurements = Measurements()
        func query<Value>(_ name: String, _ path: String, _ parse: (String) throws -> Value) -> Value? {
            do {
                return try parse(try read(path))
            } catch {
                measurements.failures[name] = "\(path): \(error)"
                return nil
            }
        }
        // Without control groups there is no limit of theirs.
        let group = (try? read("/proc/self/cgroup")).flatMap { ControlGroupMemory(groups: $0, read: read) }
        let memory = query("memory", "/proc/meminfo") { try MemoryInfo(meminfo: $0).within(group) }
        let processor = query("processor", "/proc/stat") { try ProcessorTime(stat: $0) }
        let load = query("load", "/proc/loadavg") { try LoadAverage(loadavg: $0) }
        let uptime = query("uptime", "/proc/uptime") { try Uptime(uptime: $0) }
        let process = query("process", "/proc/self/status") { try CurrentProcess(status: $0) }
        let openFiles = query("open files", "/proc/self/limits") {
            try OpenFiles(count: try count("/proc/self/fd"), limits: $0)
        }
        (measurements.memory, measurements.processor, measurements.load) = (memory, processor, load)
        (measurements.uptime, measurements.process, measurements.openFiles) = (uptime, process, openFiles)
        do {
            measurements.disk = try space()
        } catch {
            measurements.failures["disk"] = "\(error)"
        }
        // Many kernels have no pressure values, or have the files and refuse to read them (psi=0). This is not a fault.
        measurements.memoryPressure = (try? read("/proc/pressure/memory")).flatMap { try? Pressure(pressure: $0) }
        measurements.diskPressure = (try? read("/proc/pressure/io")).flatMap { try? Pressure(pressure: $0) }
        measurements.generation = SystemGeneration(linkTarget: try? readLink("/nix/var/nix/profiles/system"))
        return measurements
    }
}

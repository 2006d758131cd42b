import ArgumentParser
import Files
import Fleet

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage", abstract: "Compute the round trip from inhabited places to their nearest node.",
        discussion: "Uses the inventory's coordinates and a propagation model; nothing is measured.")

    @OptionGroup var options: FleetCommand.InventoryOption
    @Option(help: "Target round trip in milliseconds.") var limit = 100.0
    @Option(help: "Ratio of path length to great circle.") var stretch = Propagation().stretch
    @Option(help: "Output file for a map.") var svg: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard limit > 0, limit < 10_000 else { throw ValidationError("--limit must be above 0 and below 10000.") }
        guard (1...10).contains(stretch) else { throw ValidationError("--stretch must be 1 to 10.") }
    }

    func run() throws {
        var propagation = Propagation()
        propagation.stretch = stretch
        let nodes = try Inventory(toml: try options.text()).nodes
        let coverage = try Coverage(
            nodes: nodes, places: try InhabitedPlace.all(), propagation: propagation, limit: limit)
        if let svg { try File.replace(svg, with: CoverageMap(coverage).svg, mode: 0o644) }
        let report = CoverageReport(coverage)
        if json { try Terminal.json(report) } else { Terminal.line(report.text) }
    }
}

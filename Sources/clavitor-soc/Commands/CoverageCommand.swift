import ArgumentParser
import Files
import Fleet

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage", abstract: "Compute how far people are from their nearest node.",
        discussion: "From the inventory's coordinates and a stated model; nothing is measured.")

    @OptionGroup var options: FleetCommand.InventoryOption
    @Option(help: "Milliseconds that are promised.") var limit = 100.0
    @Option(help: "How much longer paths are than the great circle.") var stretch = Propagation().stretch
    @Option(help: "Write a map here.") var svg: String?
    @Flag(help: "As JSON.") var json = false

    func validate() throws {
        guard limit > 0, limit < 10_000 else { throw ValidationError("--limit is above 0 and below 10000.") }
        guard (1...10).contains(stretch) else { throw ValidationError("--stretch is 1 to 10.") }
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

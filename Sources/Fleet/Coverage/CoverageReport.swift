/// The report of a coverage, as text and as JSON.
package struct CoverageReport: Sendable {
    private let coverage: Coverage

    package init(_ coverage: Coverage) { self.coverage = coverage }

    package var text: String {
        let all = coverage.spread()
        var rows = [["AREA", "CELLS", "MEDIAN", "90 %", "WORST", "WITHIN \(coverage.limit.short) MS", "WORST PLACE"]]
        for area in coverage.areas + [nil] {
            guard let spread = coverage.spread(area) else { continue }
            rows.append([
                area ?? "all", "\(spread.count)", spread.median.ms, spread.ninetieth.ms, spread.worst.roundTrip.ms,
                "\(spread.within) of \(spread.count)", spread.worst.named,
            ])
        }
        var places = [["ROUND TRIP", "PLACE", "NEAREST NODE", "KM"]]
        for cell in coverage.cells.prefix(15) {
            places.append([cell.roundTrip.ms, cell.named, cell.node, "\(Int(cell.distance.rounded()))"])
        }
        return [
            "\(coverage.propagation)", source, "", Self.columns(rows), "", "The worst places:", Self.columns(places),
            "", all.map(verdict) ?? "", sensitivity,
        ].joined(separator: "\n")
    }

    private var source: String {
        """
        Places: the principal places of all countries and time zones (tz database), \(coverage.cells.count) cells of \
        \(Coverage.cellSize.short) x \(Coverage.cellSize.short) degrees, each counted once whoever lives there. Large \
        countries have few places in this list, so that their far corners may be missing.
        """
    }

    /// Whether the promise holds, as a sentence.
    func verdict(_ all: Coverage.Spread) -> String {
        let limit = coverage.limit.short
        let globe = """
            Of the whole globe's surface, sea and ice included, \((coverage.shareWithin * 100).short) % are; its \
            remotest point (\(coverage.remotest.at.latitude.short), \(coverage.remotest.at.longitude.short)) has \
            \(coverage.remotest.roundTrip.ms).
            """
        guard all.within < all.count else {
            return "\"No spot on earth more than ~\(limit) ms away\" holds for all inhabited cells. \(globe)"
        }
        let areas = coverage.areas.compactMap { area -> String? in
            guard let spread = coverage.spread(area), spread.within < spread.count else { return nil }
            return "\(area) (\(spread.count - spread.within) of \(spread.count))"
        }
        return """
            "No spot on earth more than ~\(limit) ms away" does not hold: \(all.count - all.within) of \(all.count) \
            inhabited cells are further, in \(areas.joined(separator: ", ")); the worst is \(all.worst.named) with \
            \(all.worst.roundTrip.ms) to \(all.worst.node). The other \(all.within) are within \(limit) ms. \(globe)
            """
    }

    /// The path stretch is the least certain number of the model.
    private var sensitivity: String {
        let others = [1.5, 2, 2.5].map { stretch in
            var propagation = coverage.propagation
            propagation.stretch = stretch
            let beyond = coverage.cells.count { propagation.roundTrip($0.distance) > coverage.limit }
            return "\(beyond) with a stretch of \(stretch.short)"
        }
        return "Cells beyond \(coverage.limit.short) ms: \(others.joined(separator: ", "))."
    }

    private static func columns(_ rows: [[String]]) -> String {
        let count = rows.first?.count ?? 0
        let widths = (0..<count).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return String(line.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        .joined(separator: "\n")
    }
}

extension CoverageReport: Encodable {
    private struct Row: Encodable {
        var area: String?
        var cells: Int
        var medianMs: Double
        var ninetiethMs: Double
        var worstMs: Double
        var worstPlace: String
        var within: Int
    }

    private struct Entry: Encodable {
        var place: String
        var country: String
        var at: Coordinate
        var node: String
        var km: Double
        var ms: Double
    }

    private enum CodingKeys: String, CodingKey {
        case model, limitMs, all, areas, cells, remotest, remotestMs, shareOfGlobeWithin, holds
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(coverage.propagation, forKey: .model)
        try container.encode(coverage.limit, forKey: .limitMs)
        try container.encode(row(nil), forKey: .all)
        try container.encode(coverage.areas.compactMap { row($0) }, forKey: .areas)
        try container.encode(
            coverage.cells.map {
                Entry(
                    place: $0.place.name, country: $0.place.country, at: $0.place.coordinate, node: $0.node,
                    km: $0.distance, ms: $0.roundTrip)
            }, forKey: .cells)
        try container.encode(coverage.remotest.at, forKey: .remotest)
        try container.encode(coverage.remotest.roundTrip, forKey: .remotestMs)
        try container.encode(coverage.shareWithin, forKey: .shareOfGlobeWithin)
        try container.encode(coverage.spread().map { $0.within == $0.count } ?? false, forKey: .holds)
    }

    private func row(_ area: String?) -> Row? {
        coverage.spread(area).map { spread in
            Row(
                area: area, cells: spread.count, medianMs: spread.median, ninetiethMs: spread.ninetieth,
                worstMs: spread.worst.roundTrip, worstPlace: spread.worst.place.name, within: spread.within)
        }
    }
}

extension Coverage.Cell {
    package var named: String { "\(place.name) (\(place.country))" }
}

extension Double {
    fileprivate var ms: String { "\(Int(rounded())) ms" }
}

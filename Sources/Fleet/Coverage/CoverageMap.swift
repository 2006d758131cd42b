import Glibc

/// A map of the world as SVG: the nodes, and for each inhabited cell a dot in the colour of its round trip.
///
/// The projection is equirectangular, so that a degree has the same length everywhere. There are no coastlines, because no
/// small public-domain data set was available; the places show the continents.
package struct CoverageMap: Sendable {
    /// A label and its position, in the map's units.
    package struct Label: Sendable {
        package var text: String
        /// The size of its box.
        package var left: Double
        package var top: Double
        package var width: Double
        package var height: Double
        var point: (x: Double, y: Double)

        package func overlaps(_ other: Label) -> Bool {
            left < other.left + other.width && other.left < left + width && top < other.top + other.height
                && other.top < top + height
        }
    }

    /// Units per degree.
    private static let scale = 4.0
    private static let width = 360 * scale
    private static let height = 180 * scale
    private static let footer = 64.0
    private static let fontSize = 13.0

    private let coverage: Coverage
    package let labels: [Label]

    package init(_ coverage: Coverage) {
        self.coverage = coverage
        labels = Self.place(
            around: coverage.cells.map { Self.point($0.place.coordinate) },
            coverage.nodes.map { ($0.city, Self.point($0.coordinate)) }
                + coverage.cells.prefix(3).filter { $0.roundTrip > coverage.limit }
                .map { ("\($0.place.name) \(Int($0.roundTrip.rounded())) ms", Self.point($0.place.coordinate)) })
    }

    private static func point(_ coordinate: Coordinate) -> (x: Double, y: Double) {
        ((coordinate.longitude + 180) * scale, (90 - coordinate.latitude) * scale)
    }

    /// Puts each label at the nearest free position around its point, if possible without hiding a dot. A label without a free
    /// position is omitted.
    private static func place(
        around dots: [(x: Double, y: Double)], _ names: [(text: String, point: (x: Double, y: Double))]
    ) -> [Label] {
        var placed: [Label] = []
        for (text, point) in names {
            let free = candidates(text, point).filter { label in
                label.left >= 0 && label.left + label.width <= width && label.top >= 0
                    && label.top + label.height <= height && !placed.contains { $0.overlaps(label) }
                    && !names.contains { label.covers($0.point) }
            }
            let clear = free.first { label in !dots.contains { label.covers($0) } }
            if let label = clear ?? free.first { placed.append(label) }
        }
        return placed
    }

    private static func candidates(_ text: String, _ point: (x: Double, y: Double)) -> [Label] {
        // Wider than in any common font.
        let size = (width: Double(text.count) * fontSize * 0.62, height: fontSize * 1.2)
        return [8.0, 16, 28, 42, 60, 80].flatMap { radius in
            stride(from: 0.0, to: 360, by: 30).map { angle in
                let (x, y) = (cos(angle * .pi / 180), sin(angle * .pi / 180))
                return Label(
                    text: text, left: point.x + x * radius + (x - 1) / 2 * size.width,
                    top: point.y + y * radius + (y - 1) / 2 * size.height, width: size.width, height: size.height,
                    point: point)
            }
        }
    }

    /// Colour classes, best first, by milliseconds.
    private var bands: [(most: Double, name: String)] {
        [(coverage.limit / 2, "b0"), (coverage.limit, "b1"), (coverage.limit * 1.5, "b2"), (.infinity, "b3")]
    }

    package var svg: String {
        ([head] + graticule + cells + nodes + names + legend + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private var head: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width.short) \((Self.height + Self.footer).short)" \
        role="img" aria-label="Round trip from inhabited places to the nearest node">
        <style>
        svg { background: #fdfdfb; font: \(Self.fontSize.short)px system-ui, sans-serif; }
        text { fill: #222; } .grid { stroke: #ddd; fill: none; } .lead { stroke: #999; } .node { fill: #222; }
        .b0 { fill: #1b7837; } .b1 { fill: #74a9cf; } .b2 { fill: #e08214; } .b3 { fill: #b2182b; }
        @media (prefers-color-scheme: dark) {
        svg { background: #16181a; } text { fill: #eee; } .grid { stroke: #33373a; } .lead { stroke: #888; }
        .node { fill: #eee; }
        .b0 { fill: #5aae61; } .b1 { fill: #92c5de; } .b2 { fill: #fdb863; } .b3 { fill: #f4665c; }
        }
        </style>
        """
    }

    private var graticule: [String] {
        let meridians = stride(from: -180.0, through: 180, by: 30).map { degrees in
            let x = ((degrees + 180) * Self.scale).short
            return "M\(x) 0V\(Self.height.short)"
        }
        let parallels = stride(from: -90.0, through: 90, by: 30).map { degrees in
            "M0 \(((90 - degrees) * Self.scale).short)H\(Self.width.short)"
        }
        return ["<path class=\"grid\" d=\"\((meridians + parallels).joined())\"/>"]
    }

    private var cells: [String] {
        coverage.cells.map { cell in
            let (x, y) = Self.point(cell.place.coordinate)
            let band = bands.first { cell.roundTrip <= $0.most }?.name ?? "b3"
            return """
                <circle class="\(band)" cx="\(x.short)" cy="\(y.short)" r="4"><title>\(cell.named.escaped): \
                \(Int(cell.roundTrip.rounded())) ms to \(cell.node.escaped)</title></circle>
                """
        }
    }

    private var nodes: [String] {
        coverage.nodes.map { node in
            let (x, y) = Self.point(node.coordinate)
            return "<rect class=\"node\" x=\"\((x - 4).short)\" y=\"\((y - 4).short)\" width=\"8\" height=\"8\"/>"
        }
    }

    private var names: [String] {
        labels.map { label in
            let middle = (x: label.left + label.width / 2, y: label.top + label.height / 2)
            let reach = max(abs(middle.x - label.point.x) - label.width / 2, abs(middle.y - label.point.y))
            let lead =
                reach < 14
                ? ""
                : """
                <path class="lead" d="M\(label.point.x.short) \(label.point.y.short)L\
                \(min(max(label.point.x, label.left), label.left + label.width).short) \(middle.y.short)"/>
                """
            return """
                \(lead)<text x="\(middle.x.short)" y="\((label.top + Self.fontSize).short)" text-anchor="middle">\
                \(label.text.escaped)</text>
                """
        }
    }

    private var legend: [String] {
        let y = Self.height + 22
        let limit = coverage.limit
        let words = [
            "up to \((limit / 2).short) ms", "up to \(limit.short) ms", "up to \((limit * 1.5).short) ms", "more",
        ]
        let keys = zip(bands, words).enumerated().map { index, key in
            let x = 20 + Double(index) * 130
            return """
                <circle class="\(key.0.name)" cx="\(x.short)" cy="\((y - 4).short)" r="4"/>\
                <text x="\((x + 10).short)" y="\(y.short)">\(key.1)</text>
                """
        }
        let node = """
            <rect class="node" x="536" y="\((y - 8).short)" width="8" height="8"/>\
            <text x="550" y="\(y.short)">node</text>
            """
        return keys + [node, "<text x=\"16\" y=\"\((y + 26).short)\">\("\(coverage.propagation)".escaped)</text>"]
    }
}

extension CoverageMap.Label {
    /// With a margin around a node's square.
    fileprivate func covers(_ point: (x: Double, y: Double)) -> Bool {
        point.x > left - 5 && point.x < left + width + 5 && point.y > top - 5 && point.y < top + height + 5
    }
}

extension String {
    fileprivate var escaped: String {
        reduce(into: "") { text, character in
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            default: text.append(character)
            }
        }
    }
}

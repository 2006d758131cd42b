/// The distance to the nearest node from every inhabited place.
package struct Coverage: Sendable {
    /// A cell of the grid with at least one place. Its values are those of its worst place.
    package struct Cell: Equatable, Sendable {
        package var place: InhabitedPlace
        package var node: String
        /// Kilometres.
        package var distance: Double
        /// Milliseconds.
        package var roundTrip: Double
    }

    package struct Spread: Equatable, Sendable {
        package var count: Int
        package var median: Double
        /// The 90th percentile.
        package var ninetieth: Double
        package var worst: Cell
        /// The number of cells within the limit.
        package var within: Int
    }

    /// Degrees along each side of a cell.
    package static let cellSize = 5.0

    package let propagation: Propagation
    /// The promised maximum in milliseconds.
    package let limit: Double
    /// Worst first.
    package let cells: [Cell]
    package let nodes: [Node]
    /// The farthest point on the globe from all nodes, sea and ice included.
    package let remotest: (at: Coordinate, roundTrip: Double)
    /// Of the globe's surface, sea and ice included.
    package let shareWithin: Double

    /// Computes the coverage.
    ///
    /// - Parameters:
    ///   - nodes: At least one.
    ///   - places: The inhabited places. A cell with several counts once.
    ///   - propagation: The model.
    ///   - limit: The promised maximum in milliseconds.
    /// - Throws: If there are no nodes or no places.
    package init(
        nodes: [Node], places: [InhabitedPlace], propagation: Propagation = .init(), limit: Double = 100
    ) throws(CoverageError) {
        guard !nodes.isEmpty else { throw .noNodes }
        guard !places.isEmpty else { throw .noPlaces }
        self.nodes = nodes
        self.propagation = propagation
        self.limit = limit
        var worst: [Coordinate: Cell] = [:]
        for place in places {
            let (node, distance) = Self.nearest(place.coordinate, nodes)
            let cell = Cell(
                place: place, node: node, distance: distance, roundTrip: propagation.roundTrip(distance))
            let corner = place.coordinate.corner
            if worst[corner].map({ $0.roundTrip < cell.roundTrip }) ?? true { worst[corner] = cell }
        }
        cells = worst.values.sorted { ($1.roundTrip, $0.place.name) < ($0.roundTrip, $1.place.name) }
        (remotest, shareWithin) = Self.globe(nodes, propagation, limit)
    }

    package func spread(_ area: String? = nil) -> Spread? {
        let cells = cells.filter { area == nil || $0.place.area == area }
        guard let worst = cells.first else { return nil }
        return Spread(
            count: cells.count, median: cells[cells.count / 2].roundTrip, ninetieth: cells[cells.count / 10].roundTrip,
            worst: worst, within: cells.count { $0.roundTrip <= limit })
    }

    package var areas: [String] { Set(cells.map(\.place.area)).sorted() }

    package static func nearest(_ point: Coordinate, _ nodes: [Node]) -> (name: String, distance: Double) {
        var best = (name: "", distance: Double.infinity)
        for node in nodes {
            let distance = point.distance(to: node.coordinate)
            if distance < best.distance { best = (node.name, distance) }
        }
        return best
    }

    /// In steps of a degree; each row is weighted by the length of its circle of latitude.
    private static func globe(
        _ nodes: [Node], _ propagation: Propagation, _ limit: Double
    ) -> (remotest: (at: Coordinate, roundTrip: Double), shareWithin: Double) {
        var farthest = (at: nodes[0].coordinate, distance: 0.0)
        var (within, all) = (0.0, 0.0)
        let reach = propagation.reach(limit)
        for row in -90..<90 {
            let latitude = Double(row) + 0.5
            // Proportional to the area between two circles of latitude.
            let weight = Coordinate(latitude: latitude, longitude: 0)
                .distance(to: Coordinate(latitude: latitude, longitude: 1))
            for column in -180..<180 {
                let point = Coordinate(latitude: latitude, longitude: Double(column) + 0.5)
                let distance = nearest(point, nodes).distance
                all += weight
                if distance <= reach { within += weight }
                if distance > farthest.distance { farthest = (point, distance) }
            }
        }
        return ((farthest.at, propagation.roundTrip(farthest.distance)), within / all)
    }
}

extension Coordinate {
    /// The place's cell.
    fileprivate var corner: Coordinate {
        let size = Coverage.cellSize
        // 180 degrees east is the same line as 180 west.
        let wrapped = longitude >= 180 ? longitude - 360 : longitude
        return Coordinate(
            latitude: (latitude / size).rounded(.down) * size, longitude: (wrapped / size).rounded(.down) * size)
    }
}

package enum CoverageError: Error, Equatable, Sendable, CustomStringConvertible {
    case noNodes
    case noPlaces

    package var description: String {
        switch self {
        case .noNodes: "The inventory has no node to measure from. Add one with `clavitor-soc fleet add`."
        case .noPlaces: "There is no place to measure to."
        }
    }
}

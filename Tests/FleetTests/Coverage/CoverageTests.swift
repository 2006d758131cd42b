import Fleet
import Foundation
import TestSupport
import Testing

@Suite struct CoordinateTests {
    /// From airports' published coordinates and great-circle distances (on the ellipsoid, hence the tolerance).
    @Test(arguments: [
        (40.6398, -73.7789, 51.4706, -0.4619, 5_540.0),
        (-33.9461, 151.1772, 33.9425, -118.4081, 12_051.0),
        (35.7647, 140.3864, 1.3502, 103.9944, 5_350.0),
    ])
    func distancesMatchPublishedOnes(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ expected: Double) {
        let distance = Coordinate(latitude: a, longitude: b).distance(to: Coordinate(latitude: c, longitude: d))
        #expect(abs(distance - expected) < expected * 0.006, "\(distance)")
    }

    @Test func distanceIsAMetric() {
        let points = stride(from: -90.0, through: 90, by: 22.5).flatMap { latitude in
            stride(from: -180.0, through: 180, by: 45).map { Coordinate(latitude: latitude, longitude: $0) }
        }
        for one in points {
            #expect(one.distance(to: one) == 0)
            for other in points {
                #expect(abs(one.distance(to: other) - other.distance(to: one)) < 1e-9)
                #expect(one.distance(to: other) <= 20_016)
            }
        }
    }

    @Test func distancesCrossTheAntimeridian() {
        let fiji = Coordinate(latitude: 0, longitude: 179.5)
        #expect(abs(fiji.distance(to: Coordinate(latitude: 0, longitude: -179.5)) - 111.19) < 0.01)
    }

    @Test func longitudeIsIgnoredAtAPole() {
        let pole = Coordinate(latitude: 90, longitude: 0)
        #expect(pole.distance(to: Coordinate(latitude: 90, longitude: 123)) < 1e-6)
        #expect(abs(pole.distance(to: Coordinate(latitude: -90, longitude: 77)) - 20_015.1) < 0.1)
    }
}

@Suite struct InhabitedPlaceTests {
    @Test func theListIsComplete() throws {
        let places = try InhabitedPlace.all()
        #expect(places.count == 407)
        #expect(Set(places.map(\.country)).count > 240)
        let buenosAires = try #require(places.first { $0.name == "Buenos Aires" })
        #expect(buenosAires.area == "America")
        #expect(abs(buenosAires.coordinate.latitude + 34.6) < 0.001)
        #expect(abs(buenosAires.coordinate.longitude + 58.45) < 0.001)
    }

    @Test(arguments: [
        "", "CH +4723+00832", "CH 4723+00832 Europe/Zurich", "CH +4763+00832 Europe/Zurich",
        "CH +9123+00832 Europe/Zurich", "CH +4723+18100 Europe/Zurich", "CH +47x3+00832 Europe/Zurich",
        "CH +472300832 Europe/Zurich", "CH +4723+0083 Europe/Zurich",
    ])
    func anythingElseIsRefused(_ line: String) {
        #expect(throws: PlaceError.unreadable(line)) { try InhabitedPlace(line) }
    }

    @Test func noTruncationIsRead() throws {
        let line = "RU +554521+0373704 Europe/Moscow"
        _ = try InhabitedPlace(line)
        for length in 0..<(line.count - "Moscow".count - 7) {
            #expect(throws: PlaceError.self) { try InhabitedPlace(line.prefix(length)) }
        }
    }
}

@Suite struct CoverageTests {
    let places: [InhabitedPlace]

    init() throws { places = try InhabitedPlace.all() }

    @Test(arguments: 1...6) func theWorstPlaceHasTheGreatestDistance(_ count: Int) throws {
        let nodes = try sampleFleet(count) { nodes in
            for index in nodes.indices {
                nodes[index].latitude = Double((index * 53) % 140 - 70)
                nodes[index].longitude = Double((index * 101) % 360 - 180)
            }
        }.nodes
        let coverage = try Coverage(nodes: nodes, places: places)
        var worst = 0.0
        for place in places {
            let nearest = nodes.map { $0.coordinate.distance(to: place.coordinate) }.min() ?? 0
            worst = max(worst, 2 * nearest * 2 / (299.792458 * 2 / 3) + 10)
        }
        #expect(abs((coverage.spread()?.worst.roundTrip ?? 0) - worst) < 1e-6)
        #expect(coverage.remotest.roundTrip >= worst - 2)
    }

    @Test func aCellIsCountedOnceWithItsWorstPlace() throws {
        let nodes = try sampleFleet(1) { ($0[0].latitude, $0[0].longitude) = (0, 0) }.nodes
        let coverage = try Coverage(
            nodes: nodes,
            places: try ["AA +0001+00001 Area/Near", "AA +0400+00400 Area/Far", "BB -0001+00001 Area/Other"]
                .map { try InhabitedPlace($0) })
        #expect(coverage.cells.map(\.place.name) == ["Far", "Other"])
        #expect(coverage.spread()?.count == 2)
    }

    @Test func bothSidesOfTheDateLineAreOneCell() throws {
        let nodes = try sampleFleet(1).nodes
        let coverage = try Coverage(
            nodes: nodes,
            places: try ["AA +0100+18000 Area/East", "AA +0100-18000 Area/West", "AA +0100+17900 Area/Before"]
                .map { try InhabitedPlace($0) })
        #expect(coverage.cells.count == 2)
    }

    @Test func theCoveredShareIsThatOfASphericalCap() throws {
        // One node at the pole covers a spherical cap, whose share is (1 - cos r) / 2.
        let nodes = try sampleFleet(1) { ($0[0].latitude, $0[0].longitude) = (90, 0) }.nodes
        let coverage = try Coverage(nodes: nodes, places: places, limit: 100)
        let angle = coverage.propagation.reach(100) / 6_371.0088
        #expect(abs(coverage.shareWithin - (1 - cos(angle)) / 2) < 0.005)
        #expect(coverage.remotest.at.latitude < -89)
    }

    @Test func theSummarySaysWhetherTheTargetIsMet() throws {
        let nodes = try sampleFleet(3).nodes
        let failed = CoverageReport(try Coverage(nodes: nodes, places: places)).text
        let held = CoverageReport(try Coverage(nodes: nodes, places: places, limit: 450)).text
        #expect(failed.contains("\"No spot on earth more than ~100 ms away\" does not hold"))
        #expect(held.contains("holds for all inhabited cells"))
    }

    @Test func withoutNodesThereIsNothingToCompute() {
        #expect(throws: CoverageError.noNodes) { try Coverage(nodes: [], places: places) }
    }
}

@Suite struct CoverageMapTests {
    /// Sixteen cities, five of them close together.
    private static let cities = [
        ("Zurich", 47.38, 8.54), ("Tokyo", 35.68, 139.69), ("Amsterdam", 52.37, 4.90), ("Dubai", 25.20, 55.27),
        ("New Jersey", 40.55, -74.46), ("Silicon Valley", 37.35, -121.95), ("Dallas", 32.78, -96.80),
        ("London", 51.51, -0.13), ("Frankfurt", 50.11, 8.68), ("Warsaw", 52.23, 21.01), ("Seoul", 37.57, 126.98),
        ("Mumbai", 19.08, 72.88), ("São Paulo", -23.55, -46.63), ("Sydney", -33.87, 151.21),
        ("Johannesburg", -26.20, 28.05), ("Tel <Aviv>", 32.09, 34.78),
    ]

    private func map() throws -> CoverageMap {
        let nodes = try sampleFleet(16) { nodes in
            for (index, city) in Self.cities.enumerated() {
                (nodes[index].city, nodes[index].latitude, nodes[index].longitude) = city
            }
        }.nodes
        return CoverageMap(try Coverage(nodes: nodes, places: try InhabitedPlace.all()))
    }

    @Test func nodeNamesDoNotOverlap() throws {
        let labels = try map().labels
        #expect(Set(Self.cities.map(\.0)).isSubset(of: labels.map(\.text)))
        for (index, one) in labels.enumerated() {
            for other in labels.dropFirst(index + 1) {
                #expect(!one.overlaps(other), "\(one.text) and \(other.text)")
            }
        }
    }

    @Test func theMapIsWellFormed() throws {
        let svg = try map().svg
        let script = "import sys, xml.dom.minidom as m; print(len(m.parse(sys.stdin).getElementsByTagName('circle')))"
        let count = try Tool("/usr/bin/python3", ["-c", script], input: svg).output
        #expect(count == "304\n")
        #expect(svg.contains("Tel &lt;Aviv&gt;"))
        #expect(svg.contains("prefers-color-scheme: dark"))
    }
}

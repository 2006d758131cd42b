import Fleet
import Testing

@Suite struct PlanTests {
    private static func candidates(_ spokes: [(name: String, region: String)]) throws -> [DeployPlan.Candidate] {
        try Inventory(toml: FleetFixture.text(spokes: spokes)).nodes.map { .init($0, current: "/old") }
    }

    private static func release(_ candidates: [DeployPlan.Candidate]) -> Release {
        Release(systems: Dictionary(uniqueKeysWithValues: candidates.map { ($0.node.name, "/new") }))
    }

    private static func plan(
        _ candidates: [DeployPlan.Candidate], _ change: (inout DeployOptions) -> Void = { _ in }
    ) throws -> DeployPlan {
        var options = DeployOptions()
        change(&options)
        return try DeployPlan(id: "d", candidates, release(candidates), options)
    }

    @Test func noWaveHasTwoOfARegionAndTheHubIsAloneAndLast() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = Int.random(in: 1...40, using: &random)
            let regions = Int.random(in: 1...8, using: &random)
            let spokes = (0..<count).map { (name: "n\($0)", region: "r\(Int.random(in: 0..<regions, using: &random))") }
            let most = Int.random(in: 1...6, using: &random)
            let candidates = try Self.candidates(spokes)
            let plan = try Self.plan(candidates) { $0.maximumUnavailable = most }
            let region = Dictionary(uniqueKeysWithValues: candidates.map { ($0.node.name, $0.node.region) })
            #expect(plan.steps.map(\.node).sorted() == candidates.map(\.node.name).sorted())
            #expect(plan.waves[0].count == 1)
            #expect(plan.waves.last?.map(\.node) == ["zurich"])
            for wave in plan.waves {
                #expect(wave.count <= most)
                #expect(Set(wave.map { region[$0.node] }).count == wave.count)
            }
        }
    }

    @Test func wavesAreAsFewAsRegionsAllow() throws {
        // Without the canary, regions a and b have three nodes each and c has one, so three waves are the minimum.
        let spokes = ["a", "a", "a", "a", "b", "b", "b", "c"].enumerated().map { (name: "n\($0)", region: $1) }
        #expect(try Self.plan(try Self.candidates(spokes)).waves.map(\.count) == [1, 3, 2, 2, 1])
    }

    @Test func theCanaryIsTheHealthySpokeWithTheLeastLoad() throws {
        var candidates = try Self.candidates([("busy", "a"), ("ill", "b"), ("quiet", "c"), ("silent", "d")])
        candidates[1].load = 900
        (candidates[2].load, candidates[2].isHealthy) = (1, false)
        candidates[3].load = 30
        #expect(try Self.plan(candidates).waves[0].map(\.node) == ["quiet"])
        #expect(try Self.plan(candidates) { $0.canary = "busy" }.waves[0].map(\.node) == ["busy"])
        #expect(throws: DeployPreconditionError.hubAsCanary("zurich")) {
            try Self.plan(candidates) { $0.canary = "zurich" }
        }
        #expect(throws: DeployPreconditionError.noSuchCanary("oslo")) {
            try Self.plan(candidates) { $0.canary = "oslo" }
        }
    }

    @Test func aNodeThatRunsTheSystemIsInNoWave() throws {
        var candidates = try Self.candidates([("a", "a"), ("b", "b")])
        candidates[1].current = "/new"
        let plan = try Self.plan(candidates)
        #expect(plan.unchanged == ["a"])
        #expect(plan.steps.map(\.node) == ["b", "zurich"])
        candidates[2].current = "/new"
        #expect(try Self.plan(candidates).waves.map { $0.map(\.node) } == [["zurich"]])
    }

    @Test func aNodeWithoutASystemIsReported() throws {
        let candidates = try Self.candidates([("a", "a")])
        #expect(throws: DeployPreconditionError.noSystem("a")) {
            try DeployPlan(id: "d", candidates, Release(systems: ["zurich": "/new"]), DeployOptions())
        }
    }

    @Test func aDryRunListsEveryCommandLineInOrder() throws {
        let inventory = try Inventory(toml: FleetFixture.text(spokes: [("tokyo", "asia")]))
        let candidates = inventory.nodes.map { DeployPlan.Candidate($0, current: "/old") }
        let plan = try Self.plan(candidates) { $0.soak = 60 }
        let ssh = SSH(
            inventory, SSHFiles.Paths(directory: "/run/soc", identity: nil), InstantProcesses(silent: []))
        let shared = "ssh -F /run/soc/ssh_config"
        let fresh = "\(shared) -o 'ControlPath=none'"
        #expect(
            try DeployCommands(ssh, NodePaths()).lines(plan, inventory) == [
                "NIX_SSHOPTS='-F /run/soc/ssh_config' nix-copy-closure --to tokyo /new",
                "\(shared) tokyo -- 'sh -s -- /new' < hold",
                "NIX_SSHOPTS='-F /run/soc/ssh_config' nix-copy-closure --to zurich /new",
                "\(shared) zurich -- 'sh -s -- /new' < hold",
                "# wave 1 of 2",
                "\(shared) tokyo -- 'sh -s -- d /new 120 /old' < begin",
                "\(fresh) tokyo -- 'sh -s -- d' < state",
                "\(fresh) tokyo -- 'sh -s -- d' < confirm",
                "# soak 60 s",
                "# wave 2 of 2",
                "\(shared) zurich -- 'sh -s -- d /new 120 /old' < begin",
                "\(fresh) zurich -- 'sh -s -- d' < state",
                "\(fresh) zurich -- 'sh -s -- d' < confirm",
            ])
    }
}

@Suite struct RolloutStepTests {
    private static func state(_ phase: NodeState.Phase, _ change: (inout NodeState) -> Void = { _ in }) -> NodeState {
        var state = NodeState(phase, current: "/new")
        (state.target, state.previous) = ("/new", "/old")
        change(&state)
        return state
    }

    @Test func onlyARunningSystemIsConfirmed() {
        #expect(RolloutStep.next(Self.state(.pending)) == .wait)
        #expect(RolloutStep.next(Self.state(.pending) { $0.activated = 0 }) == .checkHealth)
        let failed = Self.state(.pending) { $0.activated = 4 }
        #expect(RolloutStep.next(failed) == .abort("the activation failed with status 4"))
        let other = Self.state(.pending) { ($0.activated, $0.current) = (0, "/old") }
        #expect(RolloutStep.next(other) == .abort("it runs /old after the activation"))
    }

    @Test func anInconsistentStateRequiresAnOperator() {
        for state in [
            Self.state(.kept) { $0.current = "/old" }, Self.state(.confirmed) { $0.current = "/old" },
            Self.state(.restored) { $0.restored = 1 }, Self.state(.expired) { $0.isRebooted = true },
        ] {
            guard case .stuck = RolloutStep.next(state) else {
                Issue.record("\(state)")
                continue
            }
        }
        let rebooted = Self.state(.expired) { ($0.isRebooted, $0.current) = (true, "/old") }
        #expect(RolloutStep.next(rebooted) == .rolledBack)
    }

    /// An invalid response of a node must not crash the program.
    @Test func invalidResponsesAreRejected() {
        let whole = "phase=pending\ncurrent=/new\nactivated=0\nleft=100\nunit=active\n"
        #expect((try? NodeState(whole, from: "a"))?.activated == 0)
        for text in ["", "phase=\ncurrent=/a", "phase=what\ncurrent=/a", "current=/a", "=\n=\n", "phase=pending"] {
            #expect(throws: SSHError.self) { try NodeState(text, from: "a") }
        }
        for length in 0..<whole.utf8.count { _ = try? NodeState(String(whole.prefix(length)), from: "a") }
        #expect((try? NodeState("phase=none\ncurrent=/a\nleft=99999999999999999999", from: "a"))?.left == nil)
        #expect(throws: SSHError.self) {
            try NodeFacts("current=/a\nfree_kb=9223372036854775807\nclock=1", from: "a")
        }
        // The program adds these numbers.
        for lie in [
            "free_kb=-9223372036854775808\nclock=1", "free_kb=1\nclock=-9223372036854775808",
            "free_kb=1\nclock=9223372036854775807",
        ] {
            #expect(throws: SSHError.self) { try NodeFacts("current=/a\n\(lie)", from: "a") }
        }
    }
}

import HTTPServing
import Hummingbird
import Wire

/// Routes without authentication: health checks, the node's description, the fleet's nodes and the OpenAPI document.
struct NodeRoutes {
    let node: NodeBody
    let nodes: NodesBody
    let readiness: @Sendable () async -> [String]
    /// The OpenAPI document.
    let description: [UInt8]

    func add(to router: RouterGroup<NodeContext>) {
        router.get("/livez") { _, _ in try Response(json: HealthBody(status: "ok", reasons: [])) }
        router.get("/readyz") { _, _ in
            let reasons = await readiness()
            return reasons.isEmpty
                ? try Response(json: HealthBody(status: "ok", reasons: []))
                : try Response(json: HealthBody(status: "unavailable", reasons: reasons), status: .serviceUnavailable)
        }
        router.get("/.well-known/clavitor") { _, _ in try Response(json: node) }
        router.get("/.well-known/clavitor/nodes") { _, _ in try Response(json: nodes) }
        router.get("/openapi.json") { [description] _, _ in Response(bytes: description) }
    }
}

/// The API's own description, served at `/openapi.json`; a test compares it with the routes.
enum OpenAPI {
    static let document = "{}"
}

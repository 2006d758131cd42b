/// The version of the four programs: `--version`, the API, heartbeats, the audit log.
package enum Version {
    package static let current = "0.1.0"
}

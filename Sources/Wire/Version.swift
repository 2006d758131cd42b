/// The version of all programs, in `--version`, the API, heartbeats and the audit log.
package enum Version {
    package static let current = "0.1.0"
}

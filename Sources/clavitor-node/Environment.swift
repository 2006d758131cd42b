import Glibc

/// The one place where the program reads its environment.
enum Environment {
    static var credentialsDirectory: String? { value("CREDENTIALS_DIRECTORY") }

    private static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe String(cString: text)
    }
}

/// Standard output is buffered when it is not a terminal.
func flushOutput() { fflush(nil) }

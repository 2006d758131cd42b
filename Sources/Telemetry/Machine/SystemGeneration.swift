/// The system generation of a NixOS machine.
package struct SystemGeneration: Equatable, Sendable {
    /// Zero on machines without generations.
    package var number: Int

    /// Reads the target of the link `/nix/var/nix/profiles/system`: `system-42-link`.
    package init(linkTarget: String?) {
        let words = linkTarget?.split(separator: "/").last?.split(separator: "-", omittingEmptySubsequences: false)
        guard let words, words.count == 3, words[0] == "system", words[2] == "link", let number = Int(words[1]),
            number > 0
        else {
            number = 0
            return
        }
        self.number = number
    }
}

import Testing

@testable import clavitor

@Suite struct PasswordRulesTests {
    struct Case: CustomTestStringConvertible {
        var password: String
        var expected: PasswordWeakness?
        var testDescription: String { password }
    }

    @Test(arguments: [
        Case(password: "", expected: .tooShort(least: 10)),
        Case(password: "k7#pQ!x2v", expected: .tooShort(least: 10)),
        Case(password: "password", expected: .common),
        Case(password: "Password123!", expected: .common),
        Case(password: "P A S S W O R D 2024", expected: .common),
        Case(password: "1234567890", expected: .common),
        Case(password: "qwertyuiop", expected: .common),
        Case(password: "drowssap", expected: .common),
        Case(password: "passwordpassword", expected: .common),
        Case(password: "abcabcabcabc", expected: .repetitive),
        Case(password: "aaaaaaaaaaaa", expected: .repetitive),
        Case(password: "abcdefghijkl", expected: .repetitive),
        Case(password: "jane.doe@example.org", expected: .email),
        Case(password: "Jane.Doe@Example.Org", expected: .email),
        Case(password: "jane.doe2024", expected: .email),
        Case(password: "orbit velvet mango castle", expected: nil),
        Case(password: "k7#pQ!x2vL", expected: nil),
        Case(password: "Zürich 한글 ångström", expected: nil),
    ])
    func judges(_ example: Case) {
        #expect(PasswordWeakness.of(example.password, email: "jane.doe@example.org") == example.expected)
    }

    @Test func generatedPasswordsAreAcceptable() {
        for _ in 0..<200 {
            #expect(PasswordWeakness.of(Generator.password(length: 16), email: "jane.doe@example.org") == nil)
            #expect(PasswordWeakness.of(Generator.passphrase(words: 6), email: "jane.doe@example.org") == nil)
        }
    }
}

import ArgumentParser
import Testing

@testable import clavitor

@Suite struct FieldInputTests {
    @Test func aSecretIsPromptedForOrReadFromAFile() throws {
        let prompt = try FieldInput.split("pin", option: "--secret")
        #expect(prompt.label == "pin")
        #expect(prompt.origin == .prompt)
        #expect(try FieldInput.split("pin=-", option: "--secret").origin == .input)
        #expect(try FieldInput.split("pin=@/tmp/x=y", option: "--secret").origin == .file("/tmp/x=y"))
    }

    @Test(arguments: ["pin=1234", "pin=", "pin=@", "=-", ""])
    func aSecretOnTheCommandLineIsRefused(_ text: String) {
        #expect(throws: CommandFailure.self) { try FieldInput.split(text, option: "--secret") }
    }

    @Test func theErrorDoesNotRepeatTheSecret() {
        do {
            _ = try FieldInput.split("pin=hunter22", option: "--secret")
            Issue.record("not refused")
        } catch {
            #expect(!"\(error)".contains("hunter22"))
        }
    }

    @Test func passwordsAndL2OptionsMeanL2() throws {
        let inputs = try FieldOptions.parse(
            ["--username", "me", "--password", "--secret", "token", "--l2", "pin", "--totp", "otp", "--field", "a=b=c"]
        ).inputs()
        #expect(inputs.filter(\.isL2).map(\.label) == ["password", "pin"])
        #expect(inputs.first { $0.label == "a" }?.content == .text("b=c"))
    }

    @Test func aDuplicateLabelIsRejected() throws {
        let options = try FieldOptions.parse(["--secret", "Token", "--l2", "token"])
        #expect(throws: CommandFailure.self) { try options.inputs() }
    }

    @Test(arguments: ["P", "P=", "=a/b", "1P=a/b", "P-Q=a/b", "P=plain"])
    func aBindingNeedsAKeyAndAPath(_ text: String) {
        #expect(throws: CommandFailure.self) { try EnvironmentBinding(text) }
    }

    @Test func aFileOfBindingsHasComments() throws {
        let bindings = try EnvironmentBinding.lines(of: "# for pg_dump\n\n  PGPASSWORD=db/password\r\nX_1=a=b/c\n")
        #expect(bindings.map(\.key) == ["PGPASSWORD", "X_1"])
        #expect(bindings.map(\.path) == ["db/password", "a=b/c"])
    }
}

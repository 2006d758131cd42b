import Foundation
import TestSupport
import Testing

/// `clavitor run`: the program behaves as without it.
@Suite(.timeLimit(.minutes(5))) struct RunCommandTests {
    private static let secret = "hunter2/correct+horse"

    /// A node with a signed-in owner and one secret.
    private static func with(_ body: (Program, Scratch) throws -> Void) throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let node = try ServedNode(in: scratch)
        defer { node.stop() }
        let (me, _) = try node.registered(scratch)
        let added = try me.run(["add", "Bank", "--secret", "key=@\(try scratch.write(secret, to: "secret"))"])
        #expect(added.status == 0, "\(added.errors)")
        try body(me, scratch)
    }

    private static let key = ["run", "--env", "KEY=Bank/key"]

    struct Ending: CustomTestStringConvertible {
        let command: [String]
        let status: Int32
        var testDescription: String { "\(command)" }
    }

    /// Without secrets to read, no session is needed.
    @Test(arguments: [
        Ending(command: ["true"], status: 0), Ending(command: ["/bin/true"], status: 0),
        Ending(command: ["sh", "-c", "exit 42"], status: 42), Ending(command: ["nonesuch-program"], status: 127),
        Ending(command: ["/bin/nonesuch"], status: 127), Ending(command: ["./nonesuch"], status: 127),
        Ending(command: ["/etc"], status: 126), Ending(command: ["/etc/passwd"], status: 126),
        Ending(command: ["/etc/passwd/x"], status: 127), Ending(command: [""], status: 127),
    ])
    func endsAsShellsHaveIt(_ ending: Ending) throws {
        let result = try Program(name: "clavitor").run(["run", "--"] + ending.command)
        #expect(result.status == ending.status, "\(result.errors)")
        #expect(result.errors.isEmpty == (ending.status < 126))
    }

    @Test func aFileThatIsNoProgramCannotBeRun() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let script = try scratch.write("echo no first line\n", to: "script")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        #expect(try Program(name: "clavitor").run(["run", "--", script]).status == 126)
        let missing = try scratch.write("#!/nonesuch\n", to: "other")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: missing)
        #expect(try Program(name: "clavitor").run(["run", "--", missing]).status == 127)
    }

    @Test func masksTerminalOutputButNotPipes() throws {
        try Self.with { me, _ in
            let show = ["--", "sh", "-c", #"printf '%s' "$KEY"; printf '%s' "$KEY" >&2; exit 3"#]
            let plain = try me.run(Self.key + show)
            #expect(plain.status == 3)
            #expect(plain.output == Self.secret && plain.errors == "•••")
            let masked = try me.run(Self.key + ["--mask"] + show)
            #expect(masked.status == 3)
            #expect(masked.output == "•••" && masked.errors == "•••")
            let open = try me.run(Self.key + ["--no-mask"] + show)
            #expect(open.status == 3)
            #expect(open.output == Self.secret && open.errors == Self.secret)
        }
    }

    @Test func endsWhenItsReaderIsGone() throws {
        try Self.with { me, _ in
            let pipe =
                "\(me.url.path(percentEncoded: false)) run --mask --env KEY=Bank/key -- yes | head -1; echo ${PIPESTATUS[0]}"
            let shell = try Tool("/bin/bash", ["-c", pipe], environment: me.processEnvironment)
            #expect(shell.output == "y\n141\n")
        }
    }

    /// A program that prints the signals it receives, until SIGTERM.
    private static let listener = """
        import os, signal, sys, time
        names = [n for n in ("HUP INT QUIT USR1 USR2 ALRM VTALRM PROF WINCH IO PWR XCPU URG TERM").split()]
        def heard(number, frame):
            os.write(1, (signal.Signals(number).name + "\\n").encode())
            if number == signal.SIGTERM: sys.exit(7)
        os.write(1, f"ignored {signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN}\\n".encode())
        for name in names:
            number = getattr(signal, "SIG" + name)
            if signal.getsignal(number) != signal.SIG_IGN: signal.signal(number, heard)
        os.write(1, b"ready\\n")
        while True: time.sleep(1)
        """

    private static let signals: [(String, Int32)] = [
        ("SIGHUP", SIGHUP), ("SIGINT", SIGINT), ("SIGQUIT", SIGQUIT), ("SIGUSR1", SIGUSR1), ("SIGUSR2", SIGUSR2),
        ("SIGALRM", SIGALRM), ("SIGVTALRM", SIGVTALRM), ("SIGPROF", SIGPROF), ("SIGWINCH", SIGWINCH), ("SIGIO", SIGIO),
        ("SIGPWR", SIGPWR), ("SIGXCPU", SIGXCPU), ("SIGURG", SIGURG), ("SIGTERM", SIGTERM),
    ]

    @Test(arguments: [["--mask"], ["--no-mask"]]) func forwardsEverySignal(_ mask: [String]) throws {
        try Self.with { me, _ in
            let process = try me.start(Self.key + mask + ["--", "python3", "-c", Self.listener])
            try process.wait { $0.output == "ignored False\nready\n" }
            var expected = process.output
            for (name, number) in Self.signals {
                process.send(number)
                expected += name + "\n"
                try process.wait { $0.output == expected }
            }
            #expect(process.waitUntilExit() == 7)
        }
    }

    @Test(arguments: [["--mask"], ["--no-mask"]]) func ignoredSignalsStayIgnored(_ mask: [String]) throws {
        try Self.with { me, _ in
            let command =
                [me.url.path(percentEncoded: false)] + Self.key + mask + ["--", "python3", "-c", Self.listener]
            let process = try RunningTool(
                "/bin/sh", ["-c", #"trap '' USR2; exec "$@""#, "sh"] + command, environment: me.processEnvironment)
            try process.wait { $0.output == "ignored True\nready\n" }
            process.send(SIGUSR2)
            process.send(SIGUSR1)
            try process.wait { $0.output == "ignored True\nready\nSIGUSR1\n" }
            #expect(process.stop() == 7)
        }
    }

    @Test func theChildEndsWithItsParent() throws {
        try Self.with { me, _ in
            let process = try me.start(Self.key + ["--mask", "--", "sh", "-c", "echo $$; exec sleep 1000"])
            try process.wait { $0.output.hasSuffix("\n") }
            let child = try #require(pid_t(process.output.dropLast()))
            #expect(kill(child, 0) == 0)
            process.kill()
            // A zombie is ended: its new parent reaps it at some time.
            try eventually("the child ends") {
                let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
                return state?.contains(") Z ") != false
            }
        }
    }
}

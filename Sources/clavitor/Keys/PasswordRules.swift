/// Reasons to reject a new password. With database and root key an attacker can guess passwords at the cost of Argon2id, so
/// common guesses must not succeed.
enum PasswordWeakness: Error, Equatable, Sendable {
    case tooShort(least: Int)
    case common
    case email
    case repetitive

    /// Nil for an acceptable password.
    static func of(_ password: String, email: String) -> PasswordWeakness? {
        let least = 10
        let plain = password.lowercased()
        let folded = String(plain.filter { $0.isLetter || $0.isNumber })
        let name = email.lowercased()
        let mailbox = String(name.prefix { $0 != "@" }.filter { $0.isLetter || $0.isNumber })
        if plain == name || folded == name.filter({ $0.isLetter || $0.isNumber }) || isPadded(folded, mailbox) {
            return .email
        }
        if CommonPasswords.contains(folded) || CommonPasswords.contains(String(folded.reversed())) { return .common }
        if password.count < least { return .tooShort(least: least) }
        if Set(plain).count < 5 || isCounting(plain) { return .repetitive }
        // "password2024!" is "password" with what everybody adds.
        let core = String(folded.drop(while: \.isNumber))
        if CommonPasswords.contains(core.droppingTrailingDigits) || isRepeated(folded) { return .common }
        return nil
    }

    var explanation: String {
        switch self {
        case .tooShort(let least): "it is shorter than \(least) characters"
        case .common: "it is one of the passwords that are tried first, or one of them with digits added"
        case .email: "it is your e-mail address, or little more than a part of it"
        case .repetitive: "it repeats or counts up a handful of characters"
        }
    }

    /// The local part of the e-mail address with fewer than six other characters.
    private static func isPadded(_ password: String, _ mailbox: String) -> Bool {
        mailbox.count >= 4 && password.contains(mailbox) && password.count - mailbox.count < 6
    }

    /// A repeated common password.
    private static func isRepeated(_ text: String) -> Bool {
        (2...4).contains { times in
            guard text.count % times == 0 else { return false }
            let part = String(text.prefix(text.count / times))
            return String(repeating: part, count: times) == text
                && (CommonPasswords.contains(part) || part.count < 6)
        }
    }

    /// A sequence such as `abcdefghij` or `9876543210`.
    private static func isCounting(_ text: String) -> Bool {
        let scalars = text.unicodeScalars.map { Int($0.value) }
        let steps = zip(scalars, scalars.dropFirst()).map { $1 - $0 }
        return steps.count >= 5
            && (steps.allSatisfy { $0 == 1 || $0 == -9 } || steps.allSatisfy { $0 == -1 || $0 == 9 })
    }
}

extension String {
    fileprivate var droppingTrailingDigits: String {
        var text = self[...]
        while let last = text.last, last.isNumber { text.removeLast() }
        return String(text)
    }
}

/// Common passwords in lower case, without punctuation. Short ones are rejected by length; they are here for longer passwords
/// without their digits.
enum CommonPasswords {
    static func contains(_ password: String) -> Bool { list.contains(password) }

    private static let list = Set(
        """
        password passwort passw0rd p4ssword p4ssw0rd pa55word pa55w0rd passwords mypassword thepassword newpassword
        mypass letmein letmeinnow letmeinplease welcome welcomehome welcomeback changeme changemenow changeit secret
        mysecret topsecret default admin administrator adminadmin root rootroot toor superuser sysadmin guest user
        username login loginlogin signin test testing testtest tester demo example sample temp temporary qwerty
        qwertyui qwertyuiop qwertz qwertzuiop azerty azertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc
        1q2w3e 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc zaq12wsx zaq1xsw2 q1w2e3r4 q1w2e3r4t5 qwer1234
        qwerty123456 asdf1234 abc abcd abcdef abcdefg abcdefgh abc123 abcd1234 a1b2c3d4 a1b2c3d4e5 123456 1234567
        12345678 123456789 1234567890 12345678910 0123456789 0987654321 123123 123123123 1234512345 1122334455
        112233445566 123321 1234554321 123454321 987654321 9876543210 111111 000000 666666 696969 777777 888888
        999999 121212 131313 159753 147258369 741852963 147258 159357 789456123 iloveyou iloveyouso iloveme ilovehim
        iloveher loveyou lovely loveme sunshine princess prince monkey dragon master shadow superman batman spiderman
        ironman wonderwoman football baseball basketball soccer hockey tennis liverpool chelsea arsenal barcelona
        realmadrid juventus manchester manunited michael jennifer jessica jordan hunter killer soldier charlie thomas
        george robert daniel andrew joshua matthew anthony william ashley amanda nicole michelle melissa samantha
        whatever trustno trustnoone freedom computer internet starwars starwarsfan pokemon minecraft fortnite matrix
        hello hellohello helloworld hello123 letsgo summer winter spring autumn january february march april may june
        july august september october november december monday friday sunday cheese chocolate cookie banana orange
        purple flower butterfly family forever babygirl angel angels jesus jesuschrist blessed samsung google facebook
        twitter instagram linkedin microsoft windows apple android iphone myspace youtube netflix amazon ninja
        mustang corvette ferrari porsche mercedes harley yamaha access accessdenied opensesame sesame backup server
        database oracle cisco security correcthorsebatterystaple fuckyou fuckoff asshole bitch pussy
        clavitor myclavitor vault myvault
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}

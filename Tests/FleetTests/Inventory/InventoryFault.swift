import Testing

/// A change of the real inventory, and the sentence that must report it.
struct InventoryFault: CustomTestStringConvertible, Sendable {
    let old: String
    let new: String
    let sentence: String

    var testDescription: String { sentence }

    init(_ old: String, _ new: String, _ sentence: String) {
        (self.old, self.new, self.sentence) = (old, new, sentence)
    }

    static let key = String(repeating: "A", count: 43) + "="
    static let operatorEntry = """
        [[operator]]
        name = "soc"
        address = "10.84.0.200"
        public-key = "\(key)"
        ssh-key = "ssh-ed25519 AAAA soc"

        [provider.vultr]
        """
    static let tokyoRole = "role = \"spoke\"\naddress = \"10.84.0.2\"\nipv4 = \"\"\npublic-key = \"\"\nhost-key = \"\""

    static let all = entries + tables + names + operators + duties

    private static let entries = [
        InventoryFault("name = \"tokyo\"", "name = \"seoul\"", "name seoul is used twice; it must be unique"),
        InventoryFault("10.84.0.2\"", "10.84.0.11\"", "address 10.84.0.11 is used twice; it must be unique"),
        InventoryFault(
            "tokyo.clavitor.com", "seoul.clavitor.com", "domain seoul.clavitor.com is used twice; it must be unique"),
        InventoryFault("role = \"hub\"", "role = \"spoke\"", "the fleet has 0 hubs; it must have one"),
        InventoryFault(tokyoRole, tokyoRole.replacing("spoke", with: "hub"), "the fleet has 2 hubs; it must have one"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("spoke", with: "hob"), "tokyo's role is hob; it must be hub or spoke"),
        InventoryFault(
            "10.84.0.2\"", "10.85.0.2\"",
            "tokyo's address is 10.85.0.2; it must be .1 of 10.84.0.0/24 for the hub, .2 to .199 for a spoke"),
        InventoryFault(
            "10.84.0.2\"", "10.84.0.02\"",
            "tokyo's address is 10.84.0.02; it must be .1 of 10.84.0.0/24 for the hub, .2 to .199 for a spoke"),
        InventoryFault(
            "10.84.0.2\"", "10.84.0.254\"",
            "tokyo's address is 10.84.0.254; it must be .1 of 10.84.0.0/24 for the hub, .2 to .199 for a spoke"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("public-key = \"\"", with: "public-key = \"abc=\""),
            "tokyo's public-key must be a WireGuard key"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("host-key = \"\"", with: "host-key = \"ssh-rsa AAAA\""),
            "tokyo's host-key must be of the form ssh-ed25519 …"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("ipv4 = \"\"", with: "ipv4 = \"tokyo.clavitor.com\""),
            "tokyo's ipv4 is tokyo.clavitor.com; it must be an IPv4 address"),
        InventoryFault(
            "name = \"tokyo\"", "name = \"To kyo\"",
            "the name of a node is \"To kyo\"; it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"
        ),
        InventoryFault(
            "name = \"tokyo\"", "name = \"tokyo-\"",
            "the name of a node is \"tokyo-\"; it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"
        ),
        InventoryFault("\"tokyo.clavitor.com\"", "\"tokyo\"", "tokyo's domain is \"tokyo\"; it must be a DNS name"),
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"tokyo..com\"", "tokyo's domain is \"tokyo..com\"; it must be a DNS name"),
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"edo.zurich.clavitor.com\"",
            "tokyo's domain is edo.zurich.clavitor.com; it must not be below zurich.clavitor.com, whose passkeys a page there could use"
        ),
        InventoryFault(
            "\"monitor.clavitor.com\"", "\"monitor.zurich.clavitor.com\"",
            "fleet.monitor is monitor.zurich.clavitor.com; it must not be below zurich.clavitor.com, whose passkeys a page there could use"
        ),
        InventoryFault("region = \"oceania\"", "region = \"\"", "sydney must have a city and a region"),
        InventoryFault(
            "latitude = 35.68", "latitude = 135.68",
            "tokyo's latitude must be from -90 to 90, its longitude from -180 to 180"),
        InventoryFault(
            "longitude = 139.69", "longitude = -181",
            "tokyo's latitude must be from -90 to 90, its longitude from -180 to 180"),
        InventoryFault(
            "tokyo.clavitor.com\"\nprovider = \"vultr\"", "tokyo.clavitor.com\"\nprovider = \"acme\"",
            "tokyo's provider is acme; it must be a key of [provider]"),
        InventoryFault(
            "tier = \"hostkey-mini\"", "tier = \"huge\"", "dubai's tier is huge; it must be a key of [tier]"),
        InventoryFault(
            "city = \"Tokyo\"", "city = \"Tokyo\"\nprivate-key = \"x\"", "tokyo has an unknown key, private-key"),
        InventoryFault("latitude = 35.68\n", "", "tokyo must have the key latitude"),
        InventoryFault("name = \"tokyo\"\n", "", "a node must have the key name"),
    ]

    private static func tokyo(_ key: String, _ value: String, _ sentence: String) -> InventoryFault {
        InventoryFault(tokyoRole, tokyoRole.replacing("\(key) = \"\"", with: "\(key) = \(value)"), sentence)
    }

    private static func v6(_ address: String, _ sentence: String) -> InventoryFault {
        tokyo("public-key", "\"\"\nipv6 = \"\(address)\"", sentence)
    }

    private static func breakGlass(_ key: String, _ from: String, _ sentence: String) -> InventoryFault {
        InventoryFault(
            "ssh-key = \"\"                       # its private key is in a safe\nfrom = []",
            "ssh-key = \"\(key)\"\nfrom = [\"192.0.2.8\", \"\(from)\"]", sentence)
    }

    private static func job(_ lines: String, _ sentence: String) -> InventoryFault {
        InventoryFault("[provider.vultr]", "[[job]]\n\(lines)\n[provider.vultr]", sentence)
    }

    private static func phone(_ lines: String, _ sentence: String) -> InventoryFault {
        InventoryFault("[provider.vultr]", "[[channel]]\n\(lines)\n[provider.vultr]", sentence)
    }

    private static let duties = [
        InventoryFault("from = []", "from = \"192.0.2.7\"", "[break-glass]'s from must be an array of strings"),
        InventoryFault(
            "recipients = []", "recipients = [\"me\"]",
            "backup.recipients has me; it must be a list of age recipients, age1… or ssh-ed25519 …"),
        InventoryFault(
            "every = \"1d\"", "every = \"daily\"", "backup.every is daily; it must be a duration such as 12h or 1d"),
        InventoryFault(
            "every = \"1d\"", "every = \"0d\"", "backup.every is 0d; it must be a duration such as 12h or 1d"),
        InventoryFault(
            "3,7,4,6", "0,0,0,0", "backup.keep is 0,0,0,0; it must be four numbers, last,daily,weekly,monthly"),
        InventoryFault("3,7,4,6", "3,7,4", "backup.keep is 3,7,4; it must be four numbers, last,daily,weekly,monthly"),
        InventoryFault(
            "/var/backups/clavitor", "/var/lib/clavitor/b",
            "backup.target is /var/lib/clavitor/b; it must be a directory below /var/ that no program owns"),
        InventoryFault(
            "/var/backups/clavitor", "/var/backups/../lib",
            "backup.target is /var/backups/../lib; it must be a directory below /var/ that no program owns"),
        InventoryFault(
            "/var/backups/clavitor", "/etc/x",
            "backup.target is /etc/x; it must be a directory below /var/ that no program owns"),
        InventoryFault("target = ", "tarket = ", "[backup] has an unknown key, tarket"),
        InventoryFault("[backup]\n", "[notify]\nenabled = \"no\"\n[backup]\n", "[notify]'s enabled must be a boolean"),
        phone(
            "type = \"ntfy\"",
            "the name of a channel is \"\"; it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"
        ),
        phone(
            "name = \"phone\"\ntype = \"fax\"",
            "channel phone's type is fax; it must be chat, email, ntfy, pagerduty, telegram or webhook"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\nurl-file = \"/x\"",
            "channel phone must not have url-file: `clavitor-soc secrets` stores its secret"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\nsecrets = [\"pin\"]",
            "channel phone's secrets has pin; each must be one of key, password, token, url"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\n[[channel]]\nname = \"phone\"\ntype = \"chat\"",
            "channel phone is used twice; it must be unique"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\n[[route]]\nchannel = \"boss\"",
            "a route's channel is boss; it must be the name of a channel"),
        job(
            "name = \"Soc\"\nevery = \"1d\"",
            "the name of a job is \"Soc\"; it must be at most 63 lower-case letters, digits and hyphens, a letter first and no hyphen last"
        ),
        job("name = \"soc\"\nevery = \"daily\"", "job soc's every is daily; it must be a duration such as 12h or 1d"),
        job(
            "name = \"soc\"\nevery = \"1d\"\npush-token = \"abc\"",
            "job soc's push-token must be a SHA-256 in hexadecimal"),
        job(
            "name = \"tokyo\"\nevery = \"1d\"",
            "job tokyo must not have the name of a node: the monitor identifies both by name"),
        job(
            "name = \"soc\"\nevery = \"1d\"\n[[job]]\nname = \"soc\"\nevery = \"7d\"",
            "job soc is used twice; it must be unique"),
        job("name = \"soc\"", "soc must have the key every"),
        tokyo(
            "ipv4", "\"10.0.0.1\"", "tokyo's ipv4 is 10.0.0.1; it must be a public address"),
        tokyo(
            "ipv4", "\"127.0.0.1\"", "tokyo's ipv4 is 127.0.0.1; it must be a public address"
        ),
        tokyo("ipv4", "\"0.0.0.0\"", "tokyo's ipv4 is 0.0.0.0; it must be a public address"),
        tokyo(
            "ipv4", "\"172.20.0.1\"",
            "tokyo's ipv4 is 172.20.0.1; it must be a public address"),
        tokyo(
            "ipv4", "\"100.64.0.1\"",
            "tokyo's ipv4 is 100.64.0.1; it must be a public address"),
        tokyo(
            "ipv4", "\"255.255.255.255\"",
            "tokyo's ipv4 is 255.255.255.255; it must be a public address"),
        v6("fe80::1", "tokyo's ipv6 is fe80::1; it must be a public address"),
        v6("::1", "tokyo's ipv6 is ::1; it must be a public address"),
        v6("::", "tokyo's ipv6 is ::; it must be a public address"),
        v6("fd00::7", "tokyo's ipv6 is fd00::7; it must be a public address"),
        v6("ff02::1", "tokyo's ipv6 is ff02::1; it must be a public address"),
        v6(
            "::ffff:c000:201", "tokyo's ipv6 is ::ffff:c000:201; it must be a public address"
        ),
        v6("2001:db8:1", "tokyo's ipv6 is 2001:db8:1; it must be an IPv6 address in lower case"),
        v6("2001:db8::1::2", "tokyo's ipv6 is 2001:db8::1::2; it must be an IPv6 address in lower case"),
        v6("2001:DB8::1", "tokyo's ipv6 is 2001:DB8::1; it must be an IPv6 address in lower case"),
        v6("2001:db8::1/64", "tokyo's ipv6 is 2001:db8::1/64; it must be an IPv6 address in lower case"),
        v6("2001:db8::192.0.2.1", "tokyo's ipv6 is 2001:db8::192.0.2.1; it must be an IPv6 address in lower case"),
        v6(
            "2001:db8:1:2:3:4:5:6:7", "tokyo's ipv6 is 2001:db8:1:2:3:4:5:6:7; it must be an IPv6 address in lower case"
        ),
        v6("2001:db8::12345", "tokyo's ipv6 is 2001:db8::12345; it must be an IPv6 address in lower case"),
        tokyo(
            "public-key", "\"\"\nipv6 = \"2001:db8::1\"",
            "tokyo has an ipv6 and no ipv4; it must have both, for clients without IPv6"),
        InventoryFault(
            "role = \"hub\"", "role = \"hub\"\nipv6 = \"2001:db8::1\"",
            "zurich is the hub and has an ipv6; it must have none, because its node and the monitor share ports over IPv4"
        ),
        tokyo(
            "public-key", "\"\"\nregistration = \"all\"",
            "tokyo's registration is all; it must be open, invite or closed"),
        tokyo("public-key", "\"\"\npush-token = \"abc\"", "tokyo's push-token must be a SHA-256 in hexadecimal"),
        tokyo("public-key", "\"\"\nesp = 5", "tokyo's esp must be a string"),
    ]

    private static func dns(_ old: String, _ new: String, _ sentence: String) -> InventoryFault {
        let table = """
            [dns]
            zone = "clavitor.com"
            nearest = "api.clavitor.com"
            ttl = 30
            floor = 8
            provider = "rfc2136"
            server = "192.0.2.53"
            key-file = "/home/me/.config/tsig"

            """
        return InventoryFault("[provider.vultr]", table.replacing(old, with: new) + "[provider.vultr]", sentence)
    }

    private static func server(_ text: String) -> InventoryFault {
        dns("192.0.2.53", text, "dns.server is \(text); it must be an address or a DNS name, with or without :PORT")
    }

    private static let tables = [
        InventoryFault("[fleet]\n", "[flet]\n", "the inventory must have the key fleet"),
        InventoryFault("[fleet]\n", "[dsn]\n[fleet]\n", "the inventory has an unknown key, dsn"),
        InventoryFault("[fleet]\n", "operator = 5\n[fleet]\n", "the inventory's operator must be an array of tables"),
        InventoryFault("port = 51820 ", "", "[fleet] must have the key port"),
        InventoryFault("port = 51820 ", "port = \"51820\" ", "[fleet]'s port must be an integer"),
        InventoryFault("port = 51820 ", "port = 99999 ", "fleet.port is 99999; it must be an integer from 1 to 65535"),
        InventoryFault("port = 51820 ", "port = 0 ", "fleet.port is 0; it must be an integer from 1 to 65535"),
        InventoryFault("acme-contact = []", "acme-contact = [5]", "[fleet]'s acme-contact must be an array of strings"),
        InventoryFault(
            "\"monitor.clavitor.com\"", "\"a b/c\"", "fleet.monitor is \"a b/c\"; it must be a DNS name"),
        InventoryFault(
            "\"10.84.0.0/24\"", "\"999.84.0.0/24\"",
            "fleet.network is \"999.84.0.0/24\"; it must be a /24 such as 10.84.0.0/24"),
        InventoryFault(
            "\"10.84.0.0/24\"", "\"10.84.0.0/16\"",
            "fleet.network is \"10.84.0.0/16\"; it must be a /24 such as 10.84.0.0/24"),
        InventoryFault(
            "[provider.vultr]\ndisk = \"/dev/vda\"\n", "[provider.vultr]\n", "[provider.vultr] must have the key disk"),
        InventoryFault("usd = 2.5", "usd = \"2.5\"", "[tier.mini]'s usd must be a number"),
        InventoryFault("memory-mb = 512", "memory-mb = 512.5", "[tier.mini]'s memory-mb must be an integer"),
        InventoryFault("[tier.mini]\n", "[tier]\nsmallest = 5\n[tier.mini]\n", "[tier.smallest] must be a table"),
        InventoryFault("latitude = 35.68", "latitude = \"35.68\"", "tokyo's latitude must be a number"),
        InventoryFault(
            "latitude = 35.68", "latitude = nan",
            "tokyo's latitude must be from -90 to 90, its longitude from -180 to 180"),
        InventoryFault("name = \"tokyo\"", "name = 5", "a node's name must be a string"),
        tokyo("ipv4", "5", "tokyo's ipv4 must be a string"),
        tokyo("ipv4", "\"300.1.1.1\"", "tokyo's ipv4 is 300.1.1.1; it must be an IPv4 address"),
        tokyo("ipv4", "\"010.0.0.99\"", "tokyo's ipv4 is 010.0.0.99; it must be an IPv4 address"),
        tokyo("ipv4", "\"192.0.2.256\"", "tokyo's ipv4 is 192.0.2.256; it must be an IPv4 address"),
        tokyo("ipv4", "\"+1.0.2.25\"", "tokyo's ipv4 is +1.0.2.25; it must be an IPv4 address"),
    ]

    private static let long = String(repeating: "a", count: 64)
    private static let names = [
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"\(long).com\"", "tokyo's domain is \"\(long).com\"; it must be a DNS name"),
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"-tokyo.clavitor.com\"",
            "tokyo's domain is \"-tokyo.clavitor.com\"; it must be a DNS name"),
        dns("floor = 8", "floor = -5", "dns.floor is -5; it must be 0 or more"),
        dns("key-file", "keyfile", "[dns] has an unknown key, keyfile"),
        server("192.0.2.999"), server("192.0.2.53:0"), server("192.0.2.53:65536"), server("192.0.2.53:053"),
        server("192.0.2.53:"), server("ns .example.org"), server("ns.example.org:53:53"), server("tcp://192.0.2.53"),
        server("[2001:db8::53"), server("[192.0.2.53]:53"), server("2001:db8::53:"), server("localhost"),
        dns("\"192.0.2.53\"", "\"\"", "dns.server must be set for the provider rfc2136"),
        dns("rfc2136", "gdnsd", "dns.health-file must be set for the provider gdnsd"),
        dns("rfc2136", "cloudflare", "dns.token-file must be set for the provider cloudflare"),
        dns("rfc2136", "bind", "dns.provider is bind; it must be rfc2136, gdnsd or cloudflare"),
        dns("ttl = 30", "ttl = 0", "dns.ttl is 0; it must be from 1 to 86400 seconds"),
        dns("ttl = 30\n", "", "[dns] must have the key ttl"),
        dns(
            "api.clavitor.com", "tokyo.clavitor.com",
            "dns.nearest is tokyo.clavitor.com; it must not be the domain of tokyo"),
        dns(
            "api.clavitor.com", "api.example.org", "dns.nearest is api.example.org; it must be in the zone clavitor.com"
        ),
        dns("\"clavitor.com\"", "\"vitor.com\"", "dns.nearest is api.clavitor.com; it must be in the zone vitor.com"),
        dns("\"clavitor.com\"", "\"e.com\"", "tokyo's domain is tokyo.clavitor.com; it must be in the zone e.com"),
        dns("\"clavitor.com\"", "\"cl vitor\"", "dns.zone is \"cl vitor\"; it must be a DNS name"),
    ]

    private static let operators = [
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("0.200", with: "0.3"),
            "operator soc's address is 10.84.0.3; it must be .200 to .254 of 10.84.0.0/24"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing(key, with: ""),
            "operator soc must have a WireGuard key in public-key"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("ssh-ed25519", with: "ssh-rsa"),
            "operator soc's ssh-key must be an Ed25519 public key"),
        InventoryFault(
            "from = []", "from = [\"198.51.100.7\"]", "[break-glass] must have both ssh-key and from, or neither"),
        breakGlass("hello", "192.0.2.7", "break-glass.ssh-key must be an Ed25519 public key"),
        breakGlass("ssh-ed25519 AAAA", "192.0.2.7", "break-glass.ssh-key must be an Ed25519 public key"),
        breakGlass(BreakGlassEditTests.key + "=", "192.0.2.7", "break-glass.ssh-key must be an Ed25519 public key"),
        breakGlass(
            BreakGlassEditTests.key, "anywhere", "break-glass.from has anywhere; it must be a list of IPv4 addresses"),
        breakGlass(
            BreakGlassEditTests.key, "192.0.2.0/24",
            "break-glass.from has 192.0.2.0/24; it must be a list of IPv4 addresses"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("AAAA soc", with: "AAAA\\nssh-ed25519 BBBB"),
            "operator soc's ssh-key must be an Ed25519 public key"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("AAAA soc", with: "AAAA soc\\u007f"),
            "operator soc's ssh-key must be an Ed25519 public key"),
    ]
}

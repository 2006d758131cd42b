import Testing

/// A change of the real inventory and the sentence that must tell of it.
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
        InventoryFault("name = \"tokyo\"", "name = \"seoul\"", "name seoul is there twice"),
        InventoryFault("10.84.0.2\"", "10.84.0.11\"", "address 10.84.0.11 is there twice"),
        InventoryFault("tokyo.clavitor.com", "seoul.clavitor.com", "domain seoul.clavitor.com is there twice"),
        InventoryFault("role = \"hub\"", "role = \"spoke\"", "the fleet has 0 hubs; it needs one"),
        InventoryFault(tokyoRole, tokyoRole.replacing("spoke", with: "hub"), "the fleet has 2 hubs; it needs one"),
        InventoryFault(tokyoRole, tokyoRole.replacing("spoke", with: "hob"), "tokyo's role is hub or spoke, not hob"),
        InventoryFault(
            "10.84.0.2\"", "10.85.0.2\"",
            "tokyo's address is 10.85.0.2: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        InventoryFault(
            "10.84.0.2\"", "10.84.0.02\"",
            "tokyo's address is 10.84.0.02: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        InventoryFault(
            "10.84.0.2\"", "10.84.0.254\"",
            "tokyo's address is 10.84.0.254: the hub has .1 of 10.84.0.0/24, a spoke .2 to .199"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("public-key = \"\"", with: "public-key = \"abc=\""),
            "tokyo's public-key is no WireGuard key"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("host-key = \"\"", with: "host-key = \"ssh-rsa AAAA\""),
            "tokyo's host-key is not of the form ssh-ed25519 …"),
        InventoryFault(
            tokyoRole, tokyoRole.replacing("ipv4 = \"\"", with: "ipv4 = \"tokyo.clavitor.com\""),
            "tokyo's ipv4 is no address: tokyo.clavitor.com"),
        InventoryFault(
            "name = \"tokyo\"", "name = \"To kyo\"", "\"To kyo\" is no name: small letters, digits and hyphens"),
        InventoryFault(
            "name = \"tokyo\"", "name = \"tokyo-\"", "\"tokyo-\" is no name: small letters, digits and hyphens"),
        InventoryFault("\"tokyo.clavitor.com\"", "\"tokyo\"", "tokyo's domain is no DNS name: \"tokyo\""),
        InventoryFault("\"tokyo.clavitor.com\"", "\"tokyo..com\"", "tokyo's domain is no DNS name: \"tokyo..com\""),
        InventoryFault("region = \"oceania\"", "region = \"\"", "sydney needs a city and a region"),
        InventoryFault("latitude = 35.68", "latitude = 135.68", "tokyo is nowhere on earth"),
        InventoryFault("longitude = 139.69", "longitude = -181", "tokyo is nowhere on earth"),
        InventoryFault(
            "tokyo.clavitor.com\"\nprovider = \"vultr\"", "tokyo.clavitor.com\"\nprovider = \"acme\"",
            "tokyo is with an unknown provider, acme"),
        InventoryFault("tier = \"hostkey-mini\"", "tier = \"huge\"", "dubai has an unknown tier, huge"),
        InventoryFault(
            "city = \"Tokyo\"", "city = \"Tokyo\"\nprivate-key = \"x\"", "tokyo has an unknown key, private-key"),
        InventoryFault("latitude = 35.68\n", "", "tokyo has no latitude"),
        InventoryFault("name = \"tokyo\"\n", "", "a node has no name"),
    ]

    private static func tokyo(_ key: String, _ value: String, _ sentence: String) -> InventoryFault {
        InventoryFault(tokyoRole, tokyoRole.replacing("\(key) = \"\"", with: "\(key) = \(value)"), sentence)
    }

    private static func v6(_ address: String, _ sentence: String) -> InventoryFault {
        tokyo("public-key", "\"\"\nipv6 = \"\(address)\"", sentence)
    }

    private static func glass(_ key: String, _ from: String, _ sentence: String) -> InventoryFault {
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
        InventoryFault("from = []", "from = \"192.0.2.7\"", "[break-glass]'s from is no list of texts"),
        InventoryFault(
            "recipients = []", "recipients = [\"me\"]",
            "backup.recipients has me, which is no recipient of age: they begin with age1"),
        InventoryFault(
            "every = \"1d\"", "every = \"daily\"", "backup.every is daily; it must be a duration such as 12h or 1d"),
        InventoryFault(
            "every = \"1d\"", "every = \"0d\"", "backup.every is 0d; it must be a duration such as 12h or 1d"),
        InventoryFault(
            "3,7,4,6", "0,0,0,0", "backup.keep is 0,0,0,0; it must be four numbers, last,daily,weekly,monthly"),
        InventoryFault("3,7,4,6", "3,7,4", "backup.keep is 3,7,4; it must be four numbers, last,daily,weekly,monthly"),
        InventoryFault(
            "/var/backups/clavitor", "/var/lib/clavitor/b",
            "backup.target is /var/lib/clavitor/b; it must be a folder below /var/, and none of the programs' own"),
        InventoryFault(
            "/var/backups/clavitor", "/var/backups/../lib",
            "backup.target is /var/backups/../lib; it must be a folder below /var/, and none of the programs' own"),
        InventoryFault(
            "/var/backups/clavitor", "/etc/x",
            "backup.target is /etc/x; it must be a folder below /var/, and none of the programs' own"),
        InventoryFault("target = ", "tarket = ", "[backup] has an unknown key, tarket"),
        InventoryFault("[backup]\n", "[notify]\nenabled = \"no\"\n[backup]\n", "[notify]'s enabled is no boolean"),
        phone("type = \"ntfy\"", "\"\" is no name of a channel: small letters, digits and hyphens"),
        phone(
            "name = \"phone\"\ntype = \"fax\"",
            "channel phone's type is chat, email, ntfy, pagerduty, telegram or webhook, not fax"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\nurl-file = \"/x\"",
            "channel phone names a file, url-file: its secret is kept by `clavitor-soc secrets`"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\nsecrets = [\"pin\"]",
            "channel phone's secrets are key, password, token, url, not pin"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\n[[channel]]\nname = \"phone\"\ntype = \"chat\"",
            "channel phone is there twice"),
        phone(
            "name = \"phone\"\ntype = \"ntfy\"\n[[route]]\nchannel = \"boss\"",
            "a route leads to the channel boss, which is not there"),
        job("name = \"Soc\"\nevery = \"1d\"", "\"Soc\" is no name of a job: small letters, digits and hyphens"),
        job("name = \"soc\"\nevery = \"daily\"", "job soc's every is daily; it must be a duration such as 12h or 1d"),
        job(
            "name = \"soc\"\nevery = \"1d\"\npush-token = \"abc\"",
            "job soc's push-token is no SHA-256 in hexadecimal"),
        job(
            "name = \"tokyo\"\nevery = \"1d\"", "job tokyo has the name of a node: the monitor knows both by it"),
        job(
            "name = \"soc\"\nevery = \"1d\"\n[[job]]\nname = \"soc\"\nevery = \"7d\"", "job soc is there twice"),
        job("name = \"soc\"", "soc has no every"),
        tokyo(
            "ipv4", "\"10.0.0.1\"", "tokyo's ipv4 is 10.0.0.1, which is no public address: clients could not reach it"),
        tokyo(
            "ipv4", "\"127.0.0.1\"", "tokyo's ipv4 is 127.0.0.1, which is no public address: clients could not reach it"
        ),
        tokyo("ipv4", "\"0.0.0.0\"", "tokyo's ipv4 is 0.0.0.0, which is no public address: clients could not reach it"),
        tokyo(
            "ipv4", "\"172.20.0.1\"",
            "tokyo's ipv4 is 172.20.0.1, which is no public address: clients could not reach it"),
        tokyo(
            "ipv4", "\"100.64.0.1\"",
            "tokyo's ipv4 is 100.64.0.1, which is no public address: clients could not reach it"),
        tokyo(
            "ipv4", "\"255.255.255.255\"",
            "tokyo's ipv4 is 255.255.255.255, which is no public address: clients could not reach it"),
        v6("fe80::1", "tokyo's ipv6 is fe80::1, which is no public address: clients could not reach it"),
        v6("::1", "tokyo's ipv6 is ::1, which is no public address: clients could not reach it"),
        v6("::", "tokyo's ipv6 is ::, which is no public address: clients could not reach it"),
        v6("fd00::7", "tokyo's ipv6 is fd00::7, which is no public address: clients could not reach it"),
        v6("ff02::1", "tokyo's ipv6 is ff02::1, which is no public address: clients could not reach it"),
        v6(
            "::ffff:c000:201", "tokyo's ipv6 is ::ffff:c000:201, which is no public address: clients could not reach it"
        ),
        v6("2001:db8:1", "tokyo's ipv6 is no address: 2001:db8:1"),
        v6("2001:db8::1::2", "tokyo's ipv6 is no address: 2001:db8::1::2"),
        v6("2001:DB8::1", "tokyo's ipv6 is no address: 2001:DB8::1"),
        v6("2001:db8::1/64", "tokyo's ipv6 is no address: 2001:db8::1/64"),
        v6("2001:db8::192.0.2.1", "tokyo's ipv6 is no address: 2001:db8::192.0.2.1"),
        v6("2001:db8:1:2:3:4:5:6:7", "tokyo's ipv6 is no address: 2001:db8:1:2:3:4:5:6:7"),
        v6("2001:db8::12345", "tokyo's ipv6 is no address: 2001:db8::12345"),
        tokyo(
            "public-key", "\"\"\nipv6 = \"2001:db8::1\"",
            "tokyo has an ipv6 and no ipv4: most clients could not reach it"),
        InventoryFault(
            "role = \"hub\"", "role = \"hub\"\nipv6 = \"2001:db8::1\"",
            "zurich is the hub and has an ipv6: node and monitor share its ports, by IPv4 alone"),
        tokyo("public-key", "\"\"\nregistration = \"all\"", "tokyo's registration is open, invite or closed, not all"),
        tokyo("public-key", "\"\"\npush-token = \"abc\"", "tokyo's push-token is no SHA-256 in hexadecimal"),
        tokyo("public-key", "\"\"\nesp = 5", "tokyo's esp is no text"),
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
        InventoryFault("[fleet]\n", "[flet]\n", "the inventory has no fleet"),
        InventoryFault("[fleet]\n", "[dsn]\n[fleet]\n", "the inventory has an unknown key, dsn"),
        InventoryFault("[fleet]\n", "operator = 5\n[fleet]\n", "the inventory's operator is no list of tables"),
        InventoryFault("port = 51820 ", "", "[fleet] has no port"),
        InventoryFault("port = 51820 ", "port = \"51820\" ", "[fleet]'s port is no whole number"),
        InventoryFault("port = 51820 ", "port = 99999 ", "fleet.port is 99999; it must be 1 to 65535"),
        InventoryFault("port = 51820 ", "port = 0 ", "fleet.port is 0; it must be 1 to 65535"),
        InventoryFault("acme-contact = []", "acme-contact = [5]", "[fleet]'s acme-contact is no list of texts"),
        InventoryFault(
            "\"monitor.clavitor.com\"", "\"a b/c\"", "fleet.monitor is no DNS name: \"a b/c\""),
        InventoryFault(
            "\"10.84.0.0/24\"", "\"999.84.0.0/24\"",
            "fleet.network is \"999.84.0.0/24\"; it must be a /24 such as 10.84.0.0/24"),
        InventoryFault(
            "\"10.84.0.0/24\"", "\"10.84.0.0/16\"",
            "fleet.network is \"10.84.0.0/16\"; it must be a /24 such as 10.84.0.0/24"),
        InventoryFault(
            "[provider.vultr]\ndisk = \"/dev/vda\"\n", "[provider.vultr]\n", "[provider.vultr] has no disk"),
        InventoryFault("usd = 2.5", "usd = \"2.5\"", "[tier.mini]'s usd is no number"),
        InventoryFault("memory-mb = 512", "memory-mb = 512.5", "[tier.mini]'s memory-mb is no whole number"),
        InventoryFault("[tier.mini]\n", "[tier]\nsmallest = 5\n[tier.mini]\n", "[tier.smallest] is no table"),
        InventoryFault("latitude = 35.68", "latitude = \"35.68\"", "tokyo's latitude is no number"),
        InventoryFault("latitude = 35.68", "latitude = nan", "tokyo is nowhere on earth"),
        InventoryFault("name = \"tokyo\"", "name = 5", "a node's name is no text"),
        tokyo("ipv4", "5", "tokyo's ipv4 is no text"),
        tokyo("ipv4", "\"300.1.1.1\"", "tokyo's ipv4 is no address: 300.1.1.1"),
        tokyo("ipv4", "\"010.0.0.99\"", "tokyo's ipv4 is no address: 010.0.0.99"),
        tokyo("ipv4", "\"192.0.2.256\"", "tokyo's ipv4 is no address: 192.0.2.256"),
        tokyo("ipv4", "\"+1.0.2.25\"", "tokyo's ipv4 is no address: +1.0.2.25"),
    ]

    private static let long = String(repeating: "a", count: 64)
    private static let names = [
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"\(long).com\"", "tokyo's domain is no DNS name: \"\(long).com\""),
        InventoryFault(
            "\"tokyo.clavitor.com\"", "\"-tokyo.clavitor.com\"",
            "tokyo's domain is no DNS name: \"-tokyo.clavitor.com\""),
        dns("floor = 8", "floor = -5", "dns.floor is -5; it must be 0 or more"),
        dns("key-file", "keyfile", "[dns] has an unknown key, keyfile"),
        server("192.0.2.999"), server("192.0.2.53:0"), server("192.0.2.53:65536"), server("192.0.2.53:053"),
        server("192.0.2.53:"), server("ns .example.org"), server("ns.example.org:53:53"), server("tcp://192.0.2.53"),
        server("[2001:db8::53"), server("[192.0.2.53]:53"), server("2001:db8::53:"), server("localhost"),
        dns("\"192.0.2.53\"", "\"\"", "dns.server is needed for the provider rfc2136"),
        dns("rfc2136", "gdnsd", "dns.health-file is needed for the provider gdnsd"),
        dns("rfc2136", "cloudflare", "dns.token-file is needed for the provider cloudflare"),
        dns("rfc2136", "bind", "dns.provider is rfc2136, gdnsd or cloudflare, not bind"),
        dns("ttl = 30", "ttl = 0", "dns.ttl is 0; it must be 1 to 86400 seconds"),
        dns("ttl = 30\n", "", "[dns] has no ttl"),
        dns("api.clavitor.com", "tokyo.clavitor.com", "dns.nearest is tokyo's own name: tokyo.clavitor.com"),
        dns("api.clavitor.com", "api.example.org", "dns.nearest is not in the zone clavitor.com: api.example.org"),
        dns("\"clavitor.com\"", "\"vitor.com\"", "dns.nearest is not in the zone vitor.com: api.clavitor.com"),
        dns("\"clavitor.com\"", "\"e.com\"", "tokyo's domain is not in the zone e.com: tokyo.clavitor.com"),
        dns("\"clavitor.com\"", "\"cl vitor\"", "dns.zone is no DNS name: \"cl vitor\""),
    ]

    private static let operators = [
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("0.200", with: "0.3"),
            "operator soc's address is 10.84.0.3: it is .200 to .254 of 10.84.0.0/24"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing(key, with: ""), "operator soc has no WireGuard key"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("ssh-ed25519", with: "ssh-rsa"),
            "operator soc's ssh-key is no ed25519 key"),
        InventoryFault("from = []", "from = [\"198.51.100.7\"]", "break-glass needs a key and an address, or neither"),
        glass("hello", "192.0.2.7", "break-glass.ssh-key is no ed25519 key"),
        glass("ssh-ed25519 AAAA", "192.0.2.7", "break-glass.ssh-key is no ed25519 key"),
        glass(BreakGlassEditTests.key + "=", "192.0.2.7", "break-glass.ssh-key is no ed25519 key"),
        glass(BreakGlassEditTests.key, "anywhere", "break-glass.from is no address: anywhere"),
        glass(BreakGlassEditTests.key, "192.0.2.0/24", "break-glass.from is no address: 192.0.2.0/24"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("AAAA soc", with: "AAAA\\nssh-ed25519 BBBB"),
            "operator soc's ssh-key is no ed25519 key"),
        InventoryFault(
            "[provider.vultr]", operatorEntry.replacing("AAAA soc", with: "AAAA soc\\u007f"),
            "operator soc's ssh-key is no ed25519 key"),
    ]
}

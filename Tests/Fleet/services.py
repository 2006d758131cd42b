"""What the fleet leans on, each the real program: a CA, two name servers, and the monitor's certificate."""
import json
import textwrap

from host import until

ZONE = "clavitor.test"
NEAREST = f"api.{ZONE}"
TSIG = "Y2xhdml0b3Igd29ya3Mgb24gb25lIG1hY2hpbmU="


def certificate(host, folder, name, alternative):
    """A certificate that is its own issuer: `NAME.pem`, `NAME.key`."""
    host.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}",
             "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")


class Services:
    """`shared`: as the host sees it."""

    def __init__(self, host, logs, shared="/mnt"):
        self.host, self.logs, self.shared = host, logs, shared
        self.gdnsd = f"{host.address}:5354"

    def name_server(self):
        """The zone's primary, which takes signed updates."""
        self.host.write("/etc/clv/knot.conf", textwrap.dedent(f"""
            server:
                rundir: "/run"
                listen: {self.host.address}@53
            database:
                storage: "/var/clv"
            key:
              - id: fleet.key
                algorithm: hmac-sha256
                secret: {TSIG}
            acl:
              - id: updates
                key: fleet.key
                action: update
            zone:
              - domain: {ZONE}
                storage: "/var/clv"
                file: "{ZONE}.zone"
                acl: updates
            """))
        self.host.write(f"/var/clv/{ZONE}.zone", textwrap.dedent(f"""
            $ORIGIN {ZONE}.
            @ 60 SOA ns hostmaster 1 3600 600 86400 1
            @ 60 NS ns
            ns 60 A {self.host.address}
            """))
        self.host.start("knotd", "-c", "/etc/clv/knot.conf", log=f"{self.logs}/knot.log")
        until("knot", lambda: self.ask(ZONE, "SOA"))

    def ask(self, name, kind="A", server=None):
        """The records that stand, sorted."""
        address, _, port = (server or self.host.address).partition(":")
        words = ["kdig", f"@{address}", "-p", port or "53", "+short", "+timeout=1", "+retry=0", name, kind]
        return sorted(self.host.run(*words, check=False).stdout.split("\n")[:-1])

    def authority(self):
        """A CA that validates on ports 80 and 443, by the names that stand in the zone."""
        certificate(self.host, self.shared, "pebble", f"IP:{self.host.address}")
        self.host.write("/etc/clv/pebble.json", json.dumps({"pebble": {
            "listenAddress": f"{self.host.address}:14000", "managementListenAddress": f"{self.host.address}:15000",
            "certificate": f"{self.shared}/pebble.pem", "privateKey": f"{self.shared}/pebble.key",
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "certificateValidityPeriod": 86400}}))
        self.host.start("pebble", "-strict", "-config", "/etc/clv/pebble.json", "-dnsserver", f"{self.host.address}:53",
                        log=f"{self.logs}/pebble.log", env={"PEBBLE_VA_NOSLEEP": "1"})
        root = until("pebble", lambda: self.host.run(
            "curl", "-sf", "--cacert", f"{self.shared}/pebble.pem", f"https://{self.host.address}:15000/roots/0",
            check=False).stdout)
        self.host.write(f"{self.shared}/root.pem", root)

    def geographic_name_server(self, lines, zone_lines):
        """gdnsd with the configuration that `clavitor-soc dns gdnsd-config` printed, and a health file in the share."""
        for folder in ("zones", "geoip", "run", "state"):
            self.host.run("mkdir", "-p", f"/var/gdnsd/{folder}")
        self.host.write("/var/gdnsd/config", textwrap.dedent(f"""
            options => {{
              listen => [ {self.gdnsd} ]
              run_dir => "/var/gdnsd/run"
              state_dir => "/var/gdnsd/state"
            }}
            """) + lines)
        self.host.write(f"/var/gdnsd/zones/{ZONE}", textwrap.dedent(f"""
            @ 300 SOA ns hostmaster 1 3600 600 86400 300
            @ 300 NS ns
            ns 300 A {self.host.address}
            """) + zone_lines)
        self.host.start("gdnsd", "-c", "/var/gdnsd", "start", log=f"{self.logs}/gdnsd.log")
        until("gdnsd", lambda: self.ask(ZONE, "SOA", self.gdnsd))

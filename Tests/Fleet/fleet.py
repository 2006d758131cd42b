"""A hub and two spokes, an operator's machine, and what they lean on."""
import json
import os
import shutil
import textwrap

import nixos
from host import Host, Network, run, until
from services import NEAREST, TSIG, ZONE, Services, certificate

MONITOR = f"monitor.{ZONE}"
# Name, number on the internet, WireGuard address, region, coordinates.
NODES = [
    ("zurich", 1, "10.84.0.1", "europe", 47.38, 8.54),
    ("tokyo", 2, "10.84.0.2", "east-asia", 35.68, 139.69),
    ("dallas", 3, "10.84.0.3", "north-america", 32.78, -96.8),
]
OPERATOR = "10.84.0.200"
# How many times as fast as in earnest: SEV2 after 13 s instead of 65.
HURRY = 5
STATE = "/root/soc"
INVENTORY = "/root/fleet.toml"


class Fleet:
    def __init__(self, work, programs):
        self.work, self.logs, self.shared = work, f"{work}/logs", f"{work}/shared"
        os.makedirs(self.logs)
        os.makedirs(f"{self.shared}/bin")
        for name in ("clavitor-node", "clavitor-monitor", "clavitor-soc", "clavitor"):
            shutil.copy(f"{programs}/{name}", f"{self.shared}/bin/{name}")
        self.network, self.hosts = Network(), []
        self.services = Services(self.host("services", 53), self.logs)
        self.operator = self.host("soc", 100)
        self.nodes = {name: self.host(name, number) for name, number, *_ in NODES}
        self.hub = self.nodes["zurich"]

    def host(self, name, number):
        host = Host(self.network, name, number, self.shared)
        self.hosts.append(host)
        return host

    def close(self):
        for host in self.hosts:
            host.close()
        self.network.close()

    def build(self):
        self.services.name_server()
        self.services.authority()
        self._operator()
        self._wires()
        self._monitor()
        self.soc("dns", "apply")
        for name, host in self.nodes.items():
            self._node(name, host)

    # The operator

    def soc(self, *words, check=True, timeout=300, input=None):
        words = [*words, "--inventory", INVENTORY]
        return self.operator.run(*self._program(words), check=check, timeout=timeout, input=input)

    @staticmethod
    def _program(words):
        """Options come before what is run on a node."""
        at = words.index("--") if "--" in words else len(words) - 2
        inventory = words[-2:]
        rest = words[:-2]
        state = [] if words[0] in ("fleet", "coverage") else ["--state", STATE]
        return ["/mnt/bin/clavitor-soc", *rest[:at], *inventory, *state, *rest[at:]]

    def start_soc(self, *words, log):
        return self.operator.start(*self._program([*words, "--inventory", INVENTORY]), log=f"{self.logs}/{log}")

    def _operator(self):
        host = self.operator
        nixos.install(host, nixos.OPERATOR)
        self.operator_key = host.run("wg", "genkey").stdout.strip()
        public = host.run("wg", "pubkey", input=self.operator_key).stdout.strip()
        host.sh("mkdir -p /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_soc")
        self.ssh_key = " ".join(host.read("/root/.ssh/id_soc.pub").split()[:2])
        host.write("/etc/clv/tsig", f"hmac-sha256:fleet.key:{TSIG}\n", 0o600)
        host.write(INVENTORY, self._inventory(public))
        host.write(f"{STATE}/soc.toml", textwrap.dedent(f"""
            ssh-key = "/root/.ssh/id_soc"
            monitor-token-file = "{STATE}/token"
            monitor-ca-file = "/mnt/monitor.pem"
            ca-file = "/mnt/root.pem"
            """))
        host.run("chmod", "700", STATE)
        host.run("sh", "-c", "printf '10.84.0.1 %s\\n' \"$1\" >>/etc/hosts", "sh", MONITOR)
        self.soc("keys", "generate")

    def _inventory(self, operator):
        text = textwrap.dedent(f"""
            [fleet]
            network = "10.84.0.0/24"
            port = 51820
            monitor = "{MONITOR}"
            acme-contact = []

            [break-glass]
            ssh-key = ""
            from = ""

            [[operator]]
            name = "soc"
            address = "{OPERATOR}"
            public-key = "{operator}"
            ssh-key = "{self.ssh_key}"

            [provider.vultr]
            disk = "/dev/vda"
            root = "/dev/vda1"

            [tier.mini]
            memory-mb = 512
            usd = 2.5

            [dns]
            zone = "{ZONE}"
            nearest = "{NEAREST}"
            ttl = 30
            floor = 1
            provider = "rfc2136"
            server = "{self.services.host.address}:53"
            key-file = "/etc/clv/tsig"
            health-file = "/mnt/health"
            """)
        for name, number, address, region, latitude, longitude in NODES:
            text += textwrap.dedent(f"""
                [[node]]
                name = "{name}"
                city = "{name.title()}"
                region = "{region}"
                latitude = {latitude}
                longitude = {longitude}
                domain = "{name}.{ZONE}"
                provider = "vultr"
                tier = "mini"
                role = "{'hub' if name == 'zurich' else 'spoke'}"
                address = "{address}"
                ipv4 = "{self.network.prefix}.{number}"
                public-key = ""
                host-key = ""
                """)
        return text

    # The wires

    def _wires(self):
        """The keys that `keys generate` made, and a door for SSH on the WireGuard address alone."""
        lines = [line.split() for line in self.soc("keys", "show-public").stdout.splitlines()]
        public = {words[0]: words[1] for words in lines if words[0] in self.nodes}
        private = {name: self.operator.read(f"{STATE}/keys/{name}.key") for name in self.nodes}
        addresses = {name: address for name, _, address, *_ in NODES}
        operator = self.operator.run("wg", "pubkey", input=self.operator_key).stdout.strip()
        endpoint = f"{self.hub.address}:51820"
        spokes = [name for name in self.nodes if name != "zurich"]
        self.hub.wireguard(private["zurich"], addresses["zurich"], port=51820, peers=[
            *((public[name], addresses[name], None) for name in spokes), (operator, OPERATOR, None)])
        for name in spokes:
            self.nodes[name].wireguard(private[name], addresses[name], [(public["zurich"], "10.84.0.1", endpoint)])
        self.operator.wireguard(self.operator_key, OPERATOR, [(public["zurich"], "10.84.0.1", endpoint)])
        for name, host in self.nodes.items():
            # On a spoke every operator comes from the hub.
            source = OPERATOR if name == "zurich" else "10.84.0.1"
            key = host.sshd(addresses[name], f'from="{source}" {self.ssh_key}\n')
            self.soc("fleet", "set", name, "host-key", key)
            host.sh("printf '10.84.0.1 %s\\n' \"$1\" >>/etc/hosts", MONITOR)

    # The programs

    def _monitor(self):
        hub, data = self.hub, "/var/lib/clavitor-monitor"
        certificate(hub, "/mnt", "monitor", f"DNS:{MONITOR}")
        program = "/mnt/bin/clavitor-monitor"
        hub.run(program, "operator", "add", "soc", "--data", data, input="five words make a password\n")
        token = hub.run(program, "token", "add", "soc", "--for", "clavitor-soc", "--data", data).stdout
        self.operator.write(f"{STATE}/token", token, 0o600)
        self.operator.write(f"{STATE}/header", f"Authorization: Bearer {token}", 0o600)
        self.push_urls = {}
        for name, _, _, region, *_ in NODES:
            self.push_urls[name] = hub.run(
                program, "node", "add", name, "--region", region, "--data", data, "--url", f"https://{MONITOR}").stdout
        self.start_monitor()

    def start_monitor(self):
        self.monitor = self.hub.start(
            "/mnt/bin/clavitor-monitor", "serve", "--data", "/var/lib/clavitor-monitor", "--https", "10.84.0.1:443",
            "--tls-cert", "/mnt/monitor.pem", "--tls-key", "/mnt/monitor.key", "--hurry", str(HURRY),
            log=f"{self.logs}/monitor.log")
        until("the monitor", lambda: self.hub.run(
            "curl", "-s", "--cacert", "/mnt/monitor.pem", f"https://{MONITOR}/livez", check=False).stdout)

    def _node(self, name, host):
        nixos.install(host, nixos.MACHINE)
        host.write("/etc/clavitor/push-url", self.push_urls[name], 0o600)
        host.write("/etc/clavitor.toml", textwrap.dedent(f"""
            https = "{host.address}:443"
            http = "{host.address}:80"
            domain = ["{name}.{ZONE}"]
            acme-directory = ["https://{self.services.host.address}:14000/dir"]
            acme-ca-file = "/mnt/pebble.pem"
            push-url-file = ["/etc/clavitor/push-url"]
            push-ca-file = "/mnt/monitor.pem"
            push-every = "{30 // HURRY}s"
            """))
        host.run("/mnt/bin/clavitor-node", "init", "--quiet", "--data", "/var/lib/clavitor")
        nixos.boot(host, nixos.make_system(host, "first", "/mnt/bin/clavitor-node"))

    def systems(self, name, program="/mnt/bin/clavitor-node"):
        """Built on the operator's machine; the file that `deploy --systems` takes."""
        path = nixos.make_system(self.operator, name, program)
        lines = ", ".join(f'"{node}": "{path}"' for node in self.nodes)
        self.operator.write(f"/root/{name}.json", "{" + lines + "}")
        return path

    # What is seen

    def severity(self, key):
        """Of an open incident, as the monitor has it; None when there is none."""
        report = json.loads(self.operator.run(
            "curl", "-sf", "--cacert", "/mnt/monitor.pem", "-H", f"@{STATE}/header",
            f"https://{MONITOR}/api/v1/fleet").stdout)
        return next((incident["severity"] for incident in report["incidents"] if incident["key"] == key), None)

    def runs(self, name):
        return self.nodes[name].run("readlink", "-f", "/run/current-system").stdout.strip()

    def is_served(self, name, seen_from=None):
        """Over HTTPS, by somebody on the internet."""
        answer = (seen_from or self.services.host).run(
            "curl", "-s", "-m", "5", "--cacert", "/mnt/root.pem", "--resolve",
            f"{name}.{ZONE}:443:{self.nodes[name].address}", f"https://{name}.{ZONE}/readyz", "-o", "/dev/null", "-w",
            "%{http_code}", check=False)
        return answer.stdout == "200"

"""A hub and two spokes, an operator's machine, and what they lean on."""
import json
import os
import shutil
import textwrap

import nixos
from host import Host, Network, run, until
from services import NEAREST, TSIG, ZONE, Services

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
        self.project = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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
        """Day 0, as docs/INFRASTRUCTURE.md has it: keys, tokens, the inventory and the hub's secrets by one command."""
        host = self.operator
        nixos.install(host, nixos.OPERATOR)
        name, number, _, region, latitude, longitude = NODES[0]
        self.soc("begin", "--operator", "soc", "--hub", name, "--city", "Zurich", "--region", region,
                 "--latitude", str(latitude), "--longitude", str(longitude), "--domain", f"{name}.{ZONE}",
                 "--monitor", MONITOR, "--ipv4", f"{self.network.prefix}.{number}", "--provider", "vultr",
                 "--dist", "/mnt/bin")
        # Certificates here are the test's own authority's.
        host.sh(f"printf 'ca-file = \"/mnt/root.pem\"\\n' >>{STATE}/soc.toml")
        host.write("/etc/clv/tsig", f"hmac-sha256:fleet.key:{TSIG}\n", 0o600)
        host.write(INVENTORY, host.read(INVENTORY).replace("[notify]", "[notify]\nenabled = false") + self._dns())
        host.sh("ssh-keygen -q -t ed25519 -N '' -f /root/safe")
        self.soc("break-glass", "enable", "--key-file", "/root/safe.pub", "--from", self.operator.address)
        for name, number, address, region, latitude, longitude in NODES[1:]:
            self.soc("fleet", "add", name, "--city", name.title(), "--region", region, "--latitude", str(latitude),
                     "--longitude", str(longitude), "--domain", f"{name}.{ZONE}", "--provider", "vultr", "--tier", "mini",
                     "--ipv4", f"{self.network.prefix}.{number}")
            self.soc("secrets", "generate", name, "--dist", "/mnt/bin")
        self.soc("fleet", "check")
        self.ssh_key = " ".join(host.read(f"{STATE}/id_ed25519.pub").split()[:2])
        host.run("sh", "-c", "printf '10.84.0.1 %s\\n' \"$1\" >>/etc/hosts", "sh", MONITOR)
        host.write(f"{STATE}/header", "Authorization: Bearer " + host.read(f"{STATE}/monitor-token").strip(), 0o600)

    def _dns(self):
        return textwrap.dedent(f"""
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

    def secret(self, node, name):
        """As it lies encrypted in the operator's state directory."""
        if name == "private.key":
            path = f"{STATE}/keys/{node}.key.age"
        else:
            path = f"{STATE}/secrets/{node}/{name}.age"
        return self.operator.run("age", "--decrypt", "--identity", f"{STATE}/age.key", path).stdout

    # The wires

    def _wires(self):
        """What wg0 of nix/hub.nix and nix/spoke.nix is, and sshd on the WireGuard address alone."""
        lines = [line.split() for line in self.soc("keys", "show-public").stdout.splitlines()]
        public = {words[0]: words[1] for words in lines if words[0] in self.nodes}
        addresses = {name: address for name, _, address, *_ in NODES}
        tunnel = dict(line.split(" = ", 1) for line in self.operator.read(f"{STATE}/clavitor-soc.conf").splitlines()
                      if " = " in line)
        operator = self.operator.run("wg", "pubkey", input=tunnel["PrivateKey"]).stdout.strip()
        spokes = [name for name in self.nodes if name != "zurich"]
        self.hub.wireguard(self.secret("zurich", "private.key"), addresses["zurich"], port=51820, peers=[
            *((public[name], addresses[name], None) for name in spokes), (operator, OPERATOR, None)])
        for name in spokes:
            self.nodes[name].wireguard(self.secret(name, "private.key"), addresses[name],
                                       [(public["zurich"], "10.84.0.1", f"{self.hub.address}:51820")])
        self.operator.wireguard(tunnel["PrivateKey"], OPERATOR, [(tunnel["PublicKey"], "10.84.0.1", tunnel["Endpoint"])])
        for name, host in self.nodes.items():
            # On a spoke every operator comes from the hub.
            source = OPERATOR if name == "zurich" else "10.84.0.1"
            key = host.sshd(addresses[name], f'from="{source}" {self.ssh_key}\n')
            self.soc("fleet", "set", name, "host-key", key)
            host.sh("printf '10.84.0.1 %s\\n' \"$1\" >>/etc/hosts", MONITOR)
            nixos.break_glass(host, self.rendered("sshd-config"), self.rendered("authorized-keys"))

    def rendered(self, what):
        """A file of nix/break-glass.nix, made by Nix from the operator's inventory."""
        expression = (f"(import {self.project}/nix/break-glass-files.nix {{ fleet = import {self.project}/nix/fleet.nix {{ "
                      f"fleet = builtins.fromTOML (builtins.readFile /dev/stdin); }}; }}).{what}")
        text = self.operator.read(INVENTORY)
        return json.loads(run("nix-instantiate", "--eval", "--strict", "--json", "-E", expression, input=text).stdout)

    # The programs

    def _monitor(self):
        """With the secrets that `clavitor-soc` made, and the list that Nix renders."""
        for name in ("monitor.crt", "monitor.key"):
            self.hub.write(f"/etc/clavitor/{name}", self.secret("zurich", name), 0o600)
        with open(f"{self.shared}/monitor.pem", "w") as file:
            file.write(self.operator.read(f"{STATE}/monitor-ca.pem"))
        expression = (f"(import {self.project}/nix/fleet.nix {{ fleet = builtins.fromTOML (builtins.readFile /dev/stdin); "
                      "}).access")
        access = run("nix-instantiate", "--eval", "--strict", "--json", "-E", expression,
                     input=self.operator.read(INVENTORY)).stdout
        self.hub.write("/etc/clavitor/access.json", access)
        # StateDirectory=.
        self.hub.run("mkdir", "-p", "-m", "0700", "/var/lib/clavitor-monitor")
        self.start_monitor()

    def start_monitor(self):
        self.monitor = self.hub.start(
            "/mnt/bin/clavitor-monitor", "serve", "--data", "/var/lib/clavitor-monitor", "--https", "10.84.0.1:443",
            "--tls-cert", "/etc/clavitor/monitor.crt", "--tls-key", "/etc/clavitor/monitor.key",
            "--access-file", "/etc/clavitor/access.json", "--hurry", str(HURRY),
            log=f"{self.logs}/monitor.log")
        until("the monitor", lambda: self.hub.run(
            "curl", "-s", "--cacert", "/mnt/monitor.pem", f"https://{MONITOR}/livez", check=False).stdout)

    def _node(self, name, host):
        nixos.install(host, nixos.MACHINE)
        for secret in ("push-url", "root.key"):
            host.write(f"/etc/clavitor/{secret}", self.secret(name, secret), 0o600)
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

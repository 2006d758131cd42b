"""A hub and two spokes, an operator's machine, and what they lean on: made by the commands of docs/INFRASTRUCTURE.md."""
import hashlib
import json
import os
import textwrap

import nixos
from host import Host, Network, run
from services import NEAREST, TSIG, ZONE, Services

MONITOR = f"monitor.{ZONE}"
# Name, city, number on the internet, region, coordinates.
NODES = [
    ("zurich", "Zurich", 1, "europe", 47.38, 8.54),
    ("tokyo", "Tokyo", 2, "east-asia", 35.68, 139.69),
    ("dallas", "Dallas", 3, "north-america", 32.78, -96.8),
]
ADDRESSES = {"zurich": "10.84.0.1", "tokyo": "10.84.0.2", "dallas": "10.84.0.3"}
# How many times as fast as in earnest: SEV2 after 13 s instead of 65. system/switch and system/flake.nix say so too.
HURRY = 5
# The project, as an operator has it.
PROJECT = "/root/clavitor"
STATE = "/root/.local/state/clavitor-soc"
INVENTORY = f"{PROJECT}/nix/fleet.toml"
ROLLOUT = ["--soak", "2", "--rollback-after", "60"]


class Fleet:
    def __init__(self, work, programs):
        self.work, self.logs, self.shared = work, f"{work}/logs", f"{work}/shared"
        self.project = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        os.makedirs(self.logs)
        os.makedirs(f"{self.shared}/bin")
        for name in ("clavitor-node", "clavitor-monitor", "clavitor-soc", "clavitor"):
            # Debug ones are large, and copied to each machine.
            run("strip", "-o", f"{self.shared}/bin/{name}", f"{programs}/{name}")
        self.network, self.hosts, self.nodes, self.keys = Network(), [], {}, {}
        self.services = Services(self.host("services", 53), self.logs)
        self.operator = self.host("soc", 100)

    def host(self, name, number):
        host = Host(self.network, name, number, self.shared)
        self.hosts.append(host)
        return host

    @property
    def hub(self):
        return self.nodes["zurich"]

    def close(self):
        for host in self.hosts:
            host.close()
        self.network.close()

    def lose(self, name):
        """The machine is gone, with its disk."""
        host = self.nodes.pop(name)
        self.hosts.remove(host)
        host.close()

    # The operator's machine

    def prepare(self):
        """What is there before the page begins: names, a CA, the project, its binaries, a nixpkgs."""
        self.services.name_server()
        self.services.authority()
        host = self.operator
        host.sh("for program in clavitor-soc clavitor; do ln -s /mnt/bin/$program /usr/local/bin/; done")
        host.run("mkdir", "-p", f"{PROJECT}/nix", "/root/nixpkgs")
        for name in os.listdir(f"{self.project}/nix"):
            if name.endswith(".nix") and name != "flake.nix":
                with open(f"{self.project}/nix/{name}") as file:
                    host.write(f"{PROJECT}/nix/{name}", file.read())
        for name, folder in (("flake.nix", "nix"), ("switch", "nix"), ("infect", ".")):
            with open(f"{nixos.FOLDER}/{name}") as file:
                host.write(f"{PROJECT}/{folder}/{name}", file.read())
        self.make("first")
        host.sh("cd /root/nixpkgs; git init -q -b nixos-26.05; echo 1 >version; git add .; "
                "git -c user.name=t -c user.email=t@example.org commit -qm 1")
        host.write("/etc/clv/tsig", f"hmac-sha256:fleet.key:{TSIG}\n", 0o600)
        host.sh("ssh-keygen -q -t ed25519 -N '' -f /root/safe")

    def make(self, version, program=None):
        """`make static`: other binaries in dist."""
        self.operator.sh('mkdir -p "$1/dist"; cp /mnt/bin/clavitor-node /mnt/bin/clavitor-monitor "$1/dist/"; '
                         'printf %s "$2" >"$1/dist/version"', PROJECT, version)
        if program:
            self.operator.write(f"{PROJECT}/dist/clavitor-node", program, 0o755)

    def type(self, line, check=True, timeout=300, input=None):
        """A line as it stands on the page, in the project's folder."""
        return self.operator.run("bash", "-c", f"cd {PROJECT} && {line}", check=check, timeout=timeout, input=input)

    def soc(self, *words, check=True, timeout=600, input=None):
        return self.operator.run(*self._words(words), check=check, timeout=timeout, input=input)

    @staticmethod
    def _words(words):
        return ["bash", "-c", f'cd {PROJECT} && exec clavitor-soc "$@"', "soc", *words]

    def start_soc(self, *words, log):
        return self.operator.start(*self._words(words), log=f"{self.logs}/{log}")

    @property
    def infect(self):
        digest = hashlib.sha256(self.operator.read(f"{PROJECT}/infect").encode()).hexdigest()
        return ["--infect", "infect", "--infect-sha256", digest]

    # Machines

    def rent(self, name, number):
        """A fresh one. Its address, host key and disk are what a provider's console shows."""
        host = self.host(f"{name}{number}", number)
        key = self.operator.read(f"{STATE}/id_ed25519.pub").strip()
        self.keys[name], device = nixos.rent(host, key, f"/mnt/{name}{number}.img")
        self.nodes[name] = host
        self.ssh_key = " ".join(key.split()[:2])
        return device

    def provision(self, name, *words):
        return self.soc("provision", name, *self.infect, "--host-key", self.keys[name], *words)

    # What is seen

    def secret(self, node, name):
        """As it lies encrypted in the operator's state directory."""
        return self.operator.run("age", "--decrypt", "--identity", f"{STATE}/age.key", f"{STATE}/secrets/{node}/{name}.age").stdout

    def monitor(self, path, *words):
        """The monitor's API, as the operator's tool."""
        return self.operator.run("curl", "-sf", "--cacert", f"{STATE}/monitor-ca.pem", "-H", f"@{STATE}/header", "--resolve",
                                 f"{MONITOR}:443:10.84.0.1", *words, f"https://{MONITOR}/api/v1/{path}").stdout

    def incidents(self):
        return json.loads(self.monitor("fleet"))["incidents"]

    def severity(self, key):
        """Of an open incident, as the monitor has it; None when there is none."""
        return next((incident["severity"] for incident in self.incidents() if incident["key"] == key), None)

    def accept(self, key):
        """What a person decides: the button of the dashboard."""
        number = next(incident["id"] for incident in self.incidents() if incident["key"] == key)
        self.monitor(f"incidents/{number}/accept", "-X", "POST", "-o", "/dev/null")

    def runs(self, name):
        return self.nodes[name].run("readlink", "-f", "/run/current-system").stdout.strip()

    def is_served(self, name, seen_from=None):
        """Over HTTPS, by somebody on the internet."""
        answer = (seen_from or self.services.host).run(
            "curl", "-s", "-m", "5", "--cacert", "/mnt/root.pem", "--resolve",
            f"{name}.{ZONE}:443:{self.nodes[name].address}", f"https://{name}.{ZONE}/readyz", "-o", "/dev/null", "-w",
            "%{http_code}", check=False)
        return answer.stdout == "200"

    def inventory_dns(self):
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

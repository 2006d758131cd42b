#!/usr/bin/env python3
"""A fleet on one machine, from its keys to the loss of its hub. Needs root; what is real and what stands in: nixos.py."""
import json
import os
import shutil
import sys
import tempfile
import time

from fleet import ADDRESSES, HURRY, INVENTORY, MONITOR, NODES, ROLLOUT, STATE, Fleet
from host import Failed, until
from services import NEAREST, ZONE


def expect(what, is_so, seen=""):
    if not is_so:
        raise Failed(f"{what}\n{seen}")


def settle(fleet, seconds=120):
    """All is well, and the monitor judges: one that has just come does not, and nothing is deployed then."""
    try:
        until("all is well", lambda: fleet.soc("status", check=False).returncode == 0, seconds)
    except Failed as error:
        raise Failed(f"{error}\n{said(fleet.soc('status', check=False))}") from error


def day_0_the_hub(fleet):
    """From an empty state directory to a hub that serves, by the page's commands in its order."""
    fleet.prepare()
    name, city, number, region, latitude, longitude = NODES[0]
    fleet.type(f"clavitor-soc begin --operator ana --hub {name} --city {city} --region {region} --latitude {latitude} "
               f"--longitude {longitude} --domain {name}.{ZONE} --monitor {MONITOR} --ipv4 203.0.113.{number}")
    # Certificates here are the test's own authority's.
    fleet.operator.sh(f"printf 'ca-file = \"/mnt/root.pem\"\n' >>{STATE}/soc.toml")
    text = fleet.operator.read(INVENTORY).replace("[notify]", "[notify]\nenabled = false")
    fleet.operator.write(INVENTORY, text + fleet.inventory_dns())
    device = fleet.rent(name, number)
    for key in ("disk", "root"):
        fleet.soc("fleet", "set", name, key, device)
    fleet.type(f"clavitor-soc break-glass enable --key-file /root/safe.pub --from {fleet.operator.address}")
    fleet.type("clavitor-soc fleet check")
    early = fleet.soc("provision", name, *fleet.infect, "--host-key", fleet.keys[name], check=False)
    expect("without a lock nothing is built, and the machine is untouched", early.returncode == 2 and "update" in said(early)
           and fleet.hub.run("test", "-e", "/run/current-system", check=False).returncode == 1, said(early))
    fleet.type("clavitor-soc update")
    fleet.type("clavitor-soc dns apply")
    print(fleet.provision(name, "--dry-run").stdout)
    told = said(fleet.provision(name))
    expect("it serves", "is a node of the fleet" in told and fleet.is_served(name), told)
    again = fleet.provision(name)
    expect("run again there is nothing to do", said(again).count("\n") < 8, said(again))
    fleet.type(f"wg-quick up {STATE}/clavitor-soc.conf")
    fleet.operator.write(f"{STATE}/header", "Authorization: Bearer " + fleet.operator.read(f"{STATE}/monitor-token").strip(), 0o600)
    settle(fleet)
    fleet.operator.write("/root/password", "five words make a password\n", 0o600)
    fleet.type("clavitor-soc ssh zurich -- clavitor-monitor-admin operator add ana </root/password")
    fleet.type("clavitor-soc break-glass test --break-glass-key /root/safe")


def new_nodes_come_with_five_commands(fleet):
    for name, city, number, region, latitude, longitude in NODES[1:]:
        device = fleet.rent(name, number)
        settle(fleet)
        fleet.type(f"clavitor-soc fleet add {name} --city {city} --region {region} --latitude {latitude} --longitude {longitude} "
                   f"--domain {name}.{ZONE} --provider other --tier mini --ipv4 203.0.113.{number}")
        for key in ("disk", "root"):
            fleet.soc("fleet", "set", name, key, device)
        fleet.type(f"clavitor-soc secrets generate {name}")
        fleet.type("clavitor-soc dns apply")
        told = said(fleet.soc("deploy", "--limit", "zurich", *ROLLOUT))
        expect("the hub learns its peer", "keeps it" in told, told)
        told = said(fleet.provision(name))
        expect("it serves", "is a node of the fleet" in told and fleet.is_served(name), told)
    fleet.type("clavitor-soc dns apply --nearest")
    settle(fleet)
    print(fleet.soc("status").stdout)


def ssh_is_there_over_wireguard_alone(fleet):
    for name in fleet.nodes:
        expect(f"{name} answers over WireGuard", fleet.soc("ssh", name, "--", "hostname").returncode == 0)
        key = ["-i", f"{STATE}/id_ed25519", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=3"]
        public = fleet.operator.run("ssh", *key, f"root@{fleet.nodes[name].address}", "true", check=False)
        expect(f"{name} refuses SSH from the internet", "refused" in public.stderr, public.stderr)
    # A spoke that was broken into reaches no other.
    tokyo, dallas = fleet.nodes["tokyo"], ADDRESSES["dallas"]
    lateral = tokyo.sh('timeout 3 bash -c "exec 3<>/dev/tcp/$1/22"', dallas, check=False)
    expect("a spoke does not reach another", lateral.returncode != 0)
    hub = tokyo.sh('timeout 3 bash -c "exec 3<>/dev/tcp/10.84.0.1/22"', check=False)
    expect("it does reach the hub", hub.returncode == 0, hub.stderr)


def another_host_key_is_refused(fleet):
    text = fleet.operator.read(INVENTORY)
    expect("a connection stands", fleet.soc("ssh", "dallas", "--", "true").returncode == 0)
    fleet.soc("fleet", "set", "dallas", "host-key", fleet.ssh_key)
    told = fleet.soc("ssh", "dallas", "--", "true", check=False)
    fleet.operator.write(INVENTORY, text)
    expect("another host key is refused", told.returncode != 0, said(told))


def said(done):
    return done.stdout + done.stderr


def secrets_go_to_a_spoke_through_the_hub(fleet):
    secret = fleet.secret("tokyo", "push-url").strip()
    lies = fleet.operator.run("grep", "-rlF", secret, STATE, check=False).stdout
    expect("it is encrypted where it lies", lies == "", lies)
    tokyo = fleet.nodes["tokyo"]
    tokyo.run("rm", "/etc/clavitor/push-url")
    print(said(fleet.soc("secrets", "push", "tokyo", "push-url")))
    expect("it is there", tokyo.read("/etc/clavitor/push-url") == secret + "\n")
    expect("for root alone", tokyo.run("stat", "-c", "%a %U", "/etc/clavitor/push-url").stdout.strip() == "600 root")


def an_operator_gets_in_by_break_glass(fleet):
    """By a real sshd with the files that Nix renders, into an account that is locked, from one address and no other."""
    told = fleet.soc("break-glass", "show", check=False)
    expect("spokes were never tested, and that is said", told.returncode == 1 and "tokyo" in said(told), said(told))
    print(said(fleet.soc("break-glass", "test", "--break-glass-key", "/root/safe")))
    expect("now it was", fleet.soc("break-glass", "show").returncode == 0)
    tokyo = fleet.nodes["tokyo"]
    key = ["-p", "2222", "-i", "/root/safe", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=3"]
    shut = fleet.operator.run("ssh", *key, f"root@{tokyo.address}", "true", check=False)
    expect("it is stopped again", "refused" in shut.stderr, shut.stderr)
    tokyo.run("systemctl", "start", "break-glass.service")
    fleet.services.host.write("/root/safe", fleet.operator.read("/root/safe"), 0o600)
    elsewhere = fleet.services.host.run("ssh", *key, f"root@{tokyo.address}", "true", check=False)
    expect("from elsewhere it is refused", elsewhere.returncode == 255 and "Permission denied" in elsewhere.stderr,
           elsewhere.stderr)
    fleet.operator.write("/root/other", fleet.operator.read(f"{STATE}/id_ed25519"), 0o600)
    other = fleet.operator.run("ssh", *["/root/other" if word == "/root/safe" else word for word in key],
                               f"root@{tokyo.address}", "true", check=False)
    expect("an operator's everyday key does not open it", other.returncode == 255, other.stderr)
    # While the hub is down.
    fleet.hub.plug(False)
    seen = fleet.soc("ssh", "tokyo", "--through", "break-glass", "--break-glass-key", "/root/safe", "--", "hostname", "-I")
    expect("it is tokyo", tokyo.address in seen.stdout, said(seen))
    fleet.hub.plug(True)
    tokyo.run("systemctl", "stop", "break-glass.service")
    until("the tunnel is there again", lambda: fleet.soc("ssh", "tokyo", "--", "true", check=False).returncode == 0, 90)


def vault(fleet, *words, input=None, check=True):
    """As a person on the internet, with clavitor."""
    home = "/root/person"
    return fleet.services.host.run("env", f"HOME={home}", "/mnt/bin/clavitor", *words, "--ca-file", "/mnt/root.pem", input=input, check=check)


def somebody_keeps_a_password(fleet, node):
    host = fleet.services.host
    host.run("mkdir", "-p", "/root/person")
    host.sh("printf '%s %s\n' \"$1\" \"$2\" >>/etc/hosts", fleet.nodes[node].address, f"{node}.{ZONE}")
    host.write("/root/person/password", "five words make a password\n", 0o600)
    host.write("/root/person/key", "sk-live-0123\n", 0o600)
    vault(fleet, "register", "--server", f"https://{node}.{ZONE}", "--email", "ana@example.com", "--no-kit",
          "--new-password-file", "/root/person/password")
    vault(fleet, "add", "Bank", "--secret", "key=@/root/person/key", "--l2", "pin=@/root/person/key",
          "--password-file", "/root/person/password")


def a_lost_node_comes_back_on_another_machine(fleet):
    """With its vaults, from a backup that it made by itself and that was fetched."""
    somebody_keeps_a_password(fleet, "dallas")
    dallas = fleet.nodes["dallas"]
    dallas.run("clavitor-admin", "backup")
    fetched = fleet.soc("backup", "fetch", "dallas").stdout.split()[1]
    again = fleet.soc("backup", "fetch", "dallas").stdout
    expect("fetched once", "there already" in again, again)
    refused = fleet.soc("restore", "dallas", "--from", fetched, check=False)
    expect("vaults that are there are not written over", "--replace" in said(refused), said(refused))
    fleet.lose("dallas")
    until("it is a SEV2", lambda: fleet.severity("dallas/silent") is not None, 180)
    device = fleet.rent("dallas", 13)
    for key, value in (("ipv4", "203.0.113.13"), ("host-key", ""), ("disk", device), ("root", device)):
        fleet.soc("fleet", "set", "dallas", key, value)
    fleet.type("clavitor-soc dns apply")
    told = said(fleet.provision("dallas", "--restart", "--restore", fetched))
    expect("it serves", "is a node of the fleet" in told and fleet.is_served("dallas"), told)
    expect("the log says so", "restore" in fleet.nodes["dallas"].run("clavitor-admin", "audit", "export").stdout)
    fleet.services.host.sh("sed s/203.0.113.3/203.0.113.13/ /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts")
    vault(fleet, "login", "--email", "ana@example.com", "--password-file", "/root/person/password")
    for field in ("key", "pin"):
        seen = vault(fleet, "get", f"Bank/{field}", "--password-file", "/root/person/password").stdout
        expect("what was kept is there", seen.strip() == "sk-live-0123", seen)
    until("the monitor asks whether that was lawful", lambda: fleet.severity("dallas/restored") == "warning", 60)
    fleet.accept("dallas/restored")
    settle(fleet)


def a_machine_that_was_broken_into_is_shut_out(fleet):
    """It runs on, with all that it has; another takes its place."""
    fetched = fleet.soc("backup", "fetch", "tokyo").stdout.split()[1]
    intruder, url = fleet.nodes["tokyo"], fleet.secret("tokyo", "push-url").strip()
    settle(fleet)
    # The watch runs, and may have another out.
    print(said(fleet.type("clavitor-soc dns withdraw tokyo --below-floor")))
    until("nobody new is led there", lambda: intruder.address not in answers(fleet), 120)

    def reaches_the_hub():
        return intruder.sh('timeout 3 bash -c "exec 3<>/dev/tcp/10.84.0.1/443"', check=False).returncode == 0
    expect("it reaches the monitor", reaches_the_hub())
    print(said(fleet.type("clavitor-soc keys replace tokyo --secrets")))
    expect("its key is refused at once", not reaches_the_hub())
    fleet.type(f"clavitor-soc deploy --limit zurich --allow-unhealthy {' '.join(ROLLOUT)}")
    expect("and from then on", not reaches_the_hub())
    device = fleet.rent("tokyo", 12)
    for key, value in (("ipv4", "203.0.113.12"), ("disk", device), ("root", device)):
        fleet.soc("fleet", "set", "tokyo", key, value)
    fleet.type("clavitor-soc dns apply")
    told = said(fleet.provision("tokyo", "--restart", "--restore", fetched))
    expect("it serves", "is a node of the fleet" in told and fleet.is_served("tokyo"), told)
    expect("the intruder has no way in", not reaches_the_hub())
    beat = fleet.nodes["dallas"].run("curl", "-sk", "--resolve", f"{MONITOR}:443:10.84.0.1", "-o", "/dev/null", "-w", "%{http_code}",
                                     "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}", url).stdout
    expect("its push URL is none any more", beat in ("401", "404"), beat)
    until("the monitor asks whether that was lawful", lambda: fleet.severity("tokyo/restored") == "warning", 60)
    fleet.accept("tokyo/restored")
    fleet.type("clavitor-soc dns restore tokyo")
    # In this story it was silent several times within the hour, which the monitor calls flapping until the hour is over.
    def ills():
        nodes = {node["name"]: node["state"] for node in json.loads(fleet.monitor("fleet"))["nodes"] if node["name"] in fleet.nodes}
        return [name for name, state in nodes.items() if state != "up"] + [
            incident["key"] for incident in fleet.incidents() if not incident["key"].endswith("/flapping")]
    try:
        until("all is well else", lambda: not ills(), 180)
    except Failed as error:
        raise Failed(f"{error}: {ills()}") from error


def jobs_run_on_timers_and_the_monitor_hears_of_them(fleet):
    fleet.type("clavitor-soc job install")
    fleet.type(f"clavitor-soc deploy --limit zurich {' '.join(ROLLOUT)}")
    units = "/root/.config/systemd/user/clavitor-soc"

    def line(job):
        return next(line for line in fleet.operator.read(f"{units}-{job}.service").splitlines()
                    if line.startswith("ExecStart=")).removeprefix("ExecStart=")

    def begin(job):
        """As systemd does it, with nothing of the operator's own surroundings."""
        return fleet.operator.sh(f"cd /; exec env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin {line(job)}", check=False)

    def heard(job):
        return next(node for node in json.loads(fleet.monitor("fleet"))["nodes"] if node["name"] == f"soc-{job}")
    for job in ("backups", "integrity", "upkeep"):
        expect("nothing was heard of it", heard(job)["state"] == "never", heard(job))
        done = begin(job)
        expect(f"{job} is done", done.returncode == 0, said(done))
        expect("the monitor knows", heard(job)["state"] == "up" and heard(job).get("healthProblem") is None, heard(job))
    # It runs all the time, as its unit does.
    fleet.operator.start("sh", "-c", f"cd /; exec env -i HOME=/root PATH=/usr/bin:/bin {line('names')}",
                         log=f"{fleet.logs}/names.log")
    until("the watch is heard of", lambda: heard("names")["state"] == "up", 90)
    fleet.nodes["dallas"].plug(False)
    failed = begin("backups")
    fleet.nodes["dallas"].plug(True)
    expect("one that fails says so", failed.returncode != 0 and "dallas" in said(failed), said(failed))
    expect("to the monitor too", heard("backups").get("healthProblem") is not None, heard("backups"))
    until("who is notified of nodes is notified of it",
          lambda: any(incident["key"].startswith("soc-backups/") for incident in fleet.incidents()), 60)
    until("dallas is there again", lambda: begin("backups").returncode == 0, 120)
    settle(fleet)


def a_lost_hub_comes_back_at_another_address(fleet):
    fetched = fleet.soc("backup", "fetch", "zurich").stdout.split()[1]
    fleet.lose("zurich")
    lost = fleet.soc("status", check=False)
    expect("the operator is told", lost.returncode == 1 and "zurich" in said(lost), said(lost))
    device = fleet.rent("zurich", 11)
    fleet.type("clavitor-soc begin --operator ana --ipv4 203.0.113.11")
    for key, value in (("host-key", ""), ("disk", device), ("root", device)):
        fleet.soc("fleet", "set", "zurich", key, value)
    fleet.type("clavitor-soc dns apply")
    told = said(fleet.provision("zurich", "--restart", "--restore", fetched))
    expect("it serves", "is a node of the fleet" in told and fleet.is_served("zurich"), told)
    fleet.type(f"wg-quick down {STATE}/clavitor-soc.conf; wg-quick up {STATE}/clavitor-soc.conf")
    far = fleet.soc("ssh", "tokyo", "--", "true", check=False)
    expect("spokes still dial the dead address", far.returncode != 0, said(far))
    # On each provider's console.
    for name in ("tokyo", "dallas"):
        fleet.nodes[name].run("systemctl", "start", "break-glass.service")
    told = fleet.soc("deploy", "--through", "break-glass", "--break-glass-key", "/root/safe", "--allow-unhealthy", *ROLLOUT, check=False)
    print(said(told))
    expect("they are told through break-glass", told.returncode == 0, said(told))
    for name in ("tokyo", "dallas"):
        fleet.nodes[name].run("systemctl", "stop", "break-glass.service")
    # The monitor is as new as the hub, and knows of no restoring.
    settle(fleet, 240)
    expect("by the tunnel", fleet.soc("ssh", "tokyo", "--", "true").returncode == 0)


def a_spoke_changes_its_key_over_its_own_tunnel(fleet):
    tokyo = fleet.nodes["tokyo"]

    def key():
        return tokyo.read("/etc/wireguard/private.key").strip()
    before = key()
    print(said(fleet.soc("keys", "rotate", "tokyo")))
    after = key()
    expect("its file has another", after != before)
    public = fleet.operator.run("wg", "pubkey", input=after).stdout.strip()
    expect("the inventory has it", public in fleet.operator.read(INVENTORY))
    expect("the hub forgets the old one", fleet.hub.run("wg", "show", "wg0", "peers").stdout.count("\n") == 3)
    expect("it answers", fleet.soc("ssh", "tokyo", "--", "true").returncode == 0)
    # A hub that does not take the next one.
    fleet.hub.write("/usr/local/bin/wg", '#!/bin/sh\ncase $* in *allowed-ips*) exit 0 ;; esac\nexec /usr/bin/wg "$@"\n', 0o755)
    told = fleet.soc("keys", "rotate", "tokyo", check=False)
    fleet.hub.run("rm", "/usr/local/bin/wg")
    print(said(told))
    expect("then it fails, and says so", told.returncode == 1 and "back at the old one" in said(told), said(told))
    until("it is there with the old one", lambda: fleet.soc("ssh", "tokyo", "--", "true", check=False).returncode == 0, 60)
    expect("which is in its file", key() == after)


def a_release_goes_from_node_to_node(fleet):
    settle(fleet)
    fleet.make("second")
    told = said(fleet.soc("deploy", "--canary", "tokyo", *ROLLOUT))
    print(told)
    expect("all run it", all(fleet.runs(name).endswith("-second") for name in fleet.nodes), told)
    for name, host in fleet.nodes.items():
        expect(f"{name} boots it", host.read("/nix/booted-by-default").strip() == fleet.runs(name))
    order = [told.index(f"{name}: keeps it") for name in ("tokyo", "dallas", "zurich")]
    expect("the canary was first, the hub last", order == sorted(order), told)
    history = fleet.soc("history").stdout
    expect("the history has it", "done" in history, history)
    settle(fleet)
    began = time.monotonic()
    again = fleet.soc("deploy", *ROLLOUT)
    print(f"no change: {time.monotonic() - began:.1f} s, {said(again)}")


def a_bad_one_is_stopped_at_the_canary(fleet):
    before = fleet.runs("tokyo")
    settle(fleet)
    fleet.make("bad", '#!/bin/sh\n[ "$1" != --version ] || exec echo 0.1.0\nsleep 2\nexit 1\n')
    told = fleet.soc("deploy", "--canary", "tokyo", "--soak", "2", "--rollback-after", "30", check=False)
    print(said(told))
    expect("it fails, and says so", told.returncode == 1 and "rolled back" in said(told))
    expect("nobody runs it", fleet.runs("tokyo") == before
           and all(fleet.runs(name).endswith("-second") for name in fleet.nodes))
    kept = fleet.nodes["tokyo"].run("readlink", "/nix/var/nix/gcroots/clavitor-failed").stdout.strip()
    expect("it is kept for whoever asks why", kept.endswith("-bad"), kept)
    expect("the others never saw it activated",
           fleet.nodes["dallas"].run("test", "-e", "/var/lib/clavitor-soc/deploy", check=False).returncode == 0
           and "-bad" not in fleet.nodes["dallas"].sh("cat /var/lib/clavitor-soc/deploy/*/target").stdout)
    until("tokyo is served again", lambda: fleet.is_served("tokyo"))


def a_node_that_is_cut_off_in_the_middle_comes_back(fleet):
    before = fleet.runs("tokyo")
    settle(fleet)
    fleet.make("third")
    deploy = fleet.start_soc("deploy", "--canary", "tokyo", "--soak", "2", "--rollback-after", "30", log="cut.log")
    until("the activation", lambda: fleet.runs("tokyo").endswith("-third"), 90)
    fleet.nodes["tokyo"].plug(False)
    until("the node goes back by itself, with nobody to ask", lambda: fleet.runs("tokyo") == before, 60)
    fleet.nodes["tokyo"].plug(True)
    code = deploy.wait(timeout=240)
    with open(f"{fleet.logs}/cut.log") as file:
        told = file.read()
    print(told)
    expect("the deploy failed, and says so", code == 1 and "rolled back" in told, f"{code}: {told}")
    expect("nobody else was touched", all(fleet.runs(name).endswith("-second") for name in ("dallas", "zurich")))
    until("tokyo is served again", lambda: fleet.is_served("tokyo"))


def two_do_not_deploy_at_once(fleet):
    settle(fleet)
    deploy = fleet.start_soc("deploy", "--canary", "tokyo", *ROLLOUT, log="first.log")
    until("the lock", lambda: fleet.hub.run("test", "-e", "/var/lib/clavitor-soc/lock/owner", check=False).returncode == 0)
    second = fleet.soc("deploy", "--allow-unhealthy", *ROLLOUT, check=False)
    expect("the second is told of the first", second.returncode == 2 and "under way" in second.stderr, second.stderr)
    code = deploy.wait(timeout=240)
    with open(f"{fleet.logs}/first.log") as file:
        expect("the first comes to its end", code == 0, file.read())
    settle(fleet)
    back = fleet.soc("rollback", "tokyo")
    expect("one goes back when it is asked", fleet.runs("tokyo").endswith("-second"), back.stdout)
    back = fleet.soc("rollback", "tokyo")
    expect("and further back, never forward", fleet.runs("tokyo").endswith("-first"), said(back))
    back = fleet.soc("rollback", "tokyo", check=False)
    expect("until there is nothing before", back.returncode == 2 and "no generation before" in said(back), said(back))
    back = fleet.soc("rollback", "--all", check=False)
    expect("who has left it is named", back.returncode == 1 and "tokyo does not have the last deploy" in said(back), said(back))
    told = {name: fleet.runs(name)[-6:] for name in fleet.nodes}
    expect("all are those with the last deploy", told == {"tokyo": "-first", "dallas": "second", "zurich": "second"},
           f"{told} {said(back)}")


def answers(fleet, server=None):
    return fleet.services.ask(NEAREST, server=server)


def the_dead_are_told_of_and_left_out(fleet):
    """Two vantage points: the monitor's, and the operator's own."""
    tokyo = fleet.nodes["tokyo"]
    expect("the nearest name has all", len(answers(fleet)) == 3, answers(fleet))
    watch = fleet.start_soc("dns", "watch", "--interval", "1", log="watch.log")
    # Killed: one that is stopped says so, and has ten minutes to come back.
    tokyo.sh('kill -KILL "$(cat /run/units/clavitor-node.service)"')
    stopped = time.monotonic()
    until("SEV2, and out of the nearest name", lambda: tokyo.address not in answers(fleet), 120)
    print(f"out of DNS {time.monotonic() - stopped - 65 / HURRY:.0f} s after the second missed beat, {len(answers(fleet))} are left")
    expect("its own name stays: vaults are pinned to it", fleet.services.ask(f"tokyo.{ZONE}") == [tokyo.address])
    expect("it is a SEV2", fleet.severity("tokyo/silent") == "sev2")
    until("and a SEV1", lambda: fleet.severity("tokyo/silent") == "sev1", 90)
    tokyo.run(f"{fleet.runs('tokyo')}/bin/switch-to-configuration", "test")
    until("the alarm is over", lambda: fleet.severity("tokyo/silent") is None, 60)
    until("it is back in the nearest name", lambda: len(answers(fleet)) == 3, 240)
    fleet.operator.stop(watch)
    with open(f"{fleet.logs}/watch.log") as file:
        print(file.read())


def the_nearest_answer_moves(fleet):
    """The same with gdnsd, whose answer depends on who asks."""
    fleet.operator.sh("sed -i 's/provider = \"rfc2136\"/provider = \"gdnsd\"/' \"$1\"", INVENTORY)
    fleet.operator.write("/mnt/nets", "198.51.100.0/24 => [ tokyo, dallas, zurich ]\n192.0.2.0/24 => [ zurich, dallas, tokyo ]\n")
    # Its first health file.
    fleet.soc("dns", "apply")
    words = ["dns", "gdnsd-config", "--networks", "/mnt/nets"]
    config = fleet.soc(*words).stdout
    zone = fleet.soc(*words, "--zone").stdout
    fleet.services.geographic_name_server(config, zone)

    def ask(network):
        address, _, port = fleet.services.gdnsd.partition(":")
        return fleet.services.host.run(
            "kdig", f"@{address}", "-p", port, "+short", f"+subnet={network}", NEAREST, "A").stdout.split()
    tokyo, dallas, zurich = (fleet.nodes[name].address for name in ("tokyo", "dallas", "zurich"))
    until("each gets the nearest", lambda: ask("198.51.100.0/24") == [tokyo] and ask("192.0.2.0/24") == [zurich])
    watch = fleet.start_soc("dns", "watch", "--interval", "1", log="gdnsd-watch.log")
    fleet.nodes["tokyo"].plug(False)
    until("who was sent to tokyo is sent to dallas", lambda: ask("198.51.100.0/24") == [dallas], 120)
    fleet.nodes["tokyo"].plug(True)
    until("and to tokyo again", lambda: ask("198.51.100.0/24") == [tokyo], 300)
    fleet.operator.stop(watch)
    # Names are kept by knot again.
    fleet.operator.sh("sed -i 's/provider = \"gdnsd\"/provider = \"rfc2136\"/' \"$1\"", INVENTORY)
    fleet.soc("dns", "apply", "--nearest")


def nodes_serve_without_the_hub(fleet):
    fleet.hub.plug(False)
    time.sleep(10)
    for name in ("tokyo", "dallas"):
        expect(f"{name} serves", fleet.is_served(name))
    lost = fleet.soc("status", check=False)
    expect("the operator is told", lost.returncode != 0, lost.stdout)
    fleet.hub.plug(True)
    settle(fleet, 240)


STORY = [
    day_0_the_hub, new_nodes_come_with_five_commands, ssh_is_there_over_wireguard_alone, another_host_key_is_refused, secrets_go_to_a_spoke_through_the_hub,
    an_operator_gets_in_by_break_glass,
    a_spoke_changes_its_key_over_its_own_tunnel, a_release_goes_from_node_to_node, a_bad_one_is_stopped_at_the_canary,
    a_node_that_is_cut_off_in_the_middle_comes_back, two_do_not_deploy_at_once, the_dead_are_told_of_and_left_out, the_nearest_answer_moves,
    nodes_serve_without_the_hub,
    jobs_run_on_timers_and_the_monitor_hears_of_them,
    a_lost_node_comes_back_on_another_machine, a_machine_that_was_broken_into_is_shut_out, a_lost_hub_comes_back_at_another_address,
]


def main(programs, names):
    """`names`: of chapters; all when none is named. The first two make the fleet."""
    work = tempfile.mkdtemp(prefix="clavitor-fleet-")
    fleet = Fleet(work, programs)
    try:
        for chapter in [chapter for chapter in STORY if not names or chapter.__name__ in names]:
            began = time.monotonic()
            print(f"== {chapter.__name__.replace('_', ' ')}", flush=True)
            chapter(fleet)
            print(f"   {time.monotonic() - began:.0f} s", flush=True)
    except BaseException:
        print(f"What was logged is in {work}/logs.", file=sys.stderr)
        raise
    finally:
        fleet.close()
    shutil.rmtree(work)
    print("All of it came true.")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), sys.argv[2:])

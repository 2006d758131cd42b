# The test of fleet-test.nix's three machines.
def put(machine, path, text):
    machine.succeed("umask 077; mkdir -p /etc/clavitor; cat >{} <<'EOT'\n{}\nEOT".format(path, text.strip()))


start_all()
ca.wait_for_open_port(14000)
authority = ca.succeed("cat /var/lib/pebble/ca.pem")

# The hub's monitor has its own certificate, which nodes are configured to trust.
zurich.succeed(
    "mkdir -p /etc/clavitor && cd /etc/clavitor && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
    "-days 2 -subj /CN=monitor -addext subjectAltName=DNS:monitor.clavitor.com -keyout monitor.key -out monitor.crt"
)
certificate = zurich.succeed("cat /etc/clavitor/monitor.crt")
zurich.succeed("systemctl restart clavitor-monitor")
zurich.wait_for_open_port(443)
url = zurich.succeed(
    "runuser -u clavitor-monitor -- clavitor-monitor node add tokyo --data /var/lib/clavitor-monitor "
    "--url https://monitor.clavitor.com"
)

put(tokyo, "/etc/clavitor/ca.pem", authority)
put(tokyo, "/etc/clavitor/monitor-ca.pem", certificate)
put(tokyo, "/etc/clavitor/push-url", url)
tokyo.succeed("chmod 644 /etc/clavitor/*.pem && chmod 755 /etc/clavitor")
tokyo.succeed("clavitor-node init --quiet --data /root/first --root-key /etc/clavitor/root.key")
tokyo.succeed("clavitor-admin init --quiet")

with subtest("the node starts, gets a certificate and serves"):
    tokyo.succeed("systemctl restart clavitor-node")
    tokyo.wait_for_unit("clavitor-node.service")
    ca.succeed("curl -sfk https://ca:15000/roots/0 >/root/root.pem")
    visit = "curl -sf --cacert /root/root.pem --resolve tokyo.clavitor.com:443:192.168.1.2 https://tokyo.clavitor.com"
    ca.wait_until_succeeds(visit + "/readyz")
    assert "zurich" in ca.succeed(visit + "/.well-known/clavitor/nodes")

with subtest("sshd answers through the tunnel and nowhere else"):
    tokyo.succeed("ss -tln | grep -q '10.84.0.2:22 '")
    tokyo.fail("ss -tln | grep -E '(0.0.0.0|192.168.1.2|\\[::\\]):22 '")
    zurich.wait_until_succeeds("ping -c 1 -W 2 10.84.0.2")
    ca.fail("curl -s --max-time 3 telnet://192.168.1.2:22")
    zurich.succeed("timeout 10 curl -s --max-time 3 telnet://10.84.0.2:22 </dev/null | grep -q SSH-2.0")

with subtest("the monitor hears the node"):
    zurich.succeed("head -c 12 /dev/urandom | base64 >/root/password")
    as_monitor = "runuser -u clavitor-monitor -- clavitor-monitor "
    zurich.succeed(as_monitor + "operator add soc --data /var/lib/clavitor-monitor </root/password")
    zurich.succeed("umask 077; " + as_monitor + "token soc --read-only --data /var/lib/clavitor-monitor >/root/token")
    zurich.wait_until_succeeds(
        "curl -sf --cacert /etc/clavitor/monitor.crt -H \"Authorization: Bearer $(cat /root/token)\" "
        "https://monitor.clavitor.com/metrics | grep tokyo"
    )

with subtest("a killed node comes back, and the tunnel outlives a reboot"):
    tokyo.succeed("systemctl kill --signal=KILL clavitor-node")
    ca.wait_until_succeeds(visit + "/readyz")
    tokyo.shutdown()
    tokyo.start()
    zurich.wait_until_succeeds("ping -c 1 -W 2 10.84.0.2")
    ca.wait_until_succeeds(visit + "/readyz")

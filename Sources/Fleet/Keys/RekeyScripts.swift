/// How a spoke changes its WireGuard key without anybody being locked out.
///
/// The new key is tried by the running interface alone: its file takes the old one's place when the hub has answered,
/// by one rename. Until then a reboot, and the script's own end, go back to the old key.
package struct RekeyScripts: Sendable {
    /// Of the next key, beside `private.key`.
    package static let nextName = "private.key.next"

    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// On the spoke. Takes the seconds until it goes back; answers before it begins.
    package var begin: NodeScript {
        NodeScript(
            "rekey", paths,
            """
            if [ ! -s "$wireguard/\(Self.nextName)" ]; then echo "the new key is not here" >&2; exit 1; fi
            if "$systemctl" is-active --quiet clavitor-rekey.service; then exit 0; fi
            mkdir -p "$state"
            cat >"$state/rekey" <<'END'
            \(paths.prelude)\(Self.attempt)END
            "$systemd_run" --quiet --collect --unit=clavitor-rekey --setenv=PATH="$PATH" /bin/sh "$state/rekey" "$1"

            """)
    }

    /// Runs detached.
    static let attempt = """
        next=$wireguard/\(nextName)
        sleep 3
        "$wg" set wg0 private-key "$next"
        begun=$(date +%s)
        end=$((begun + $1))
        while [ "$(date +%s)" -lt "$end" ]; do
            # One line a peer, and a spoke has one: the hub.
            heard=$("$wg" show wg0 latest-handshakes | { read -r _ at || true; echo "${at:-0}"; })
            if [ "$heard" -ge "$begun" ]; then
                mv "$next" "$wireguard/private.key"
                sync
                exit 0
            fi
            sleep 2
        done
        "$wg" set wg0 private-key "$wireguard/private.key"
        rm -f "$next"

        """

    /// On the spoke: which key the file has, by its public half.
    package var kept: NodeScript {
        NodeScript("kept", paths, "echo \"key=$(\"$wg\" pubkey <\"$wireguard/private.key\")\"\n")
    }

    /// On the hub: lets a peer have an address, which then is no other's. Takes the public key and the address.
    package var admit: NodeScript {
        NodeScript("admit", paths, "\"$wg\" set wg0 peer \"$1\" allowed-ips \"$2/32\"\n")
    }

    /// On the hub. Takes the public key; one that is not there is fine.
    package var dismiss: NodeScript {
        NodeScript("dismiss", paths, "\"$wg\" set wg0 peer \"$1\" remove\n")
    }

    /// On the hub: forgets every peer with an address. Takes the address and a public key that may stay.
    package var expel: NodeScript {
        NodeScript(
            "expel", paths,
            """
            peers=$("$wg" show wg0 allowed-ips)
            echo "$peers" | while read -r key addresses; do
                if [ "$addresses" = "$1/32" ] && [ "$key" != "$2" ]; then "$wg" set wg0 peer "$key" remove; fi
            done

            """)
    }

    /// On the hub: seconds since it heard a peer. Takes the public key.
    package var heard: NodeScript {
        NodeScript(
            "heard", paths,
            """
            at=0
            "$wg" show wg0 latest-handshakes | {
                while read -r key time; do if [ "$key" = "$1" ]; then at=$time; fi; done
                if [ "$at" -gt 0 ]; then echo "age=$(($(date +%s) - at))"; fi
            }

            """)
    }
}

/// Scripts that rotate a spoke's WireGuard key without a lockout.
///
/// The running interface tries the new key; one rename replaces the key file after a handshake with the hub. Until then a
/// reboot, or the end of the script, returns to the old key.
package struct KeyRotationScripts: Sendable {
    /// The file name of the next key, beside `private.key`.
    package static let nextName = "private.key.next"

    private let paths: NodePaths

    package init(_ paths: NodePaths) {
        self.paths = paths
    }

    /// On the spoke: starts the attempt, detached. Argument: the seconds until it returns to the old key.
    package var begin: RemoteScript {
        RemoteScript(
            "rekey", paths,
            """
            if [ ! -s "$wireguard/\(Self.nextName)" ]; then echo "the new key is missing" >&2; exit 1; fi
            if "$systemctl" is-active --quiet clavitor-rekey.service; then exit 0; fi
            mkdir -p "$state"
            cat >"$state/rekey" <<'END'
            \(paths.prelude)\(Self.attempt)END
            "$systemd_run" --quiet --collect --unit=clavitor-rekey --setenv=PATH="$PATH" /bin/sh "$state/rekey" "$1"

            """)
    }

    /// The detached attempt.
    package static let attempt = """
        next=$wireguard/\(nextName)
        sleep 3
        "$wg" set wg0 private-key "$next"
        begun=$(date +%s)
        end=$((begun + $1))
        while [ "$(date +%s)" -lt "$end" ]; do
            # A spoke has one peer, the hub, and so one line.
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

    /// On the spoke: prints the public key of the stored key.
    package var storedKey: RemoteScript {
        RemoteScript("kept", paths, "echo \"key=$(\"$wg\" pubkey <\"$wireguard/private.key\")\"\n")
    }

    /// On the hub: adds a peer and assigns the address to it alone. Arguments: the public key and the address.
    package var addPeer: RemoteScript {
        RemoteScript("admit", paths, "\"$wg\" set wg0 peer \"$1\" allowed-ips \"$2/32\"\n")
    }

    /// On the hub: removes a peer; a missing one is not an error. Argument: the public key.
    package var removePeer: RemoteScript {
        RemoteScript("dismiss", paths, "\"$wg\" set wg0 peer \"$1\" remove\n")
    }

    /// On the hub: removes every peer with an address except one. Arguments: the address and the public key to keep.
    package var removeOthers: RemoteScript {
        RemoteScript(
            "expel", paths,
            """
            peers=$("$wg" show wg0 allowed-ips)
            echo "$peers" | while read -r key addresses; do
                if [ "$addresses" = "$1/32" ] && [ "$key" != "$2" ]; then "$wg" set wg0 peer "$key" remove; fi
            done

            """)
    }

    /// On the hub: prints the seconds since the last handshake with a peer. Argument: the public key.
    package var handshakeAge: RemoteScript {
        RemoteScript(
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

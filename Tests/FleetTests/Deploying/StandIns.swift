/// Stand-ins for NixOS' programs on a rig. With `RIG_NOW` in the environment, a unit runs immediately, and a timer waits
/// in `units` until the test fires it.
enum StandIns {
    static let all = [
        ("systemd-run", systemdRun), ("systemctl", systemctl), ("nix-env", nixEnv), ("nix-store-stand-in", nixStore),
        ("clavitor-admin", admin), ("date", date),
    ]

    private static let systemdRun = """
        on=
        while :; do
            case $1 in
            --on-active=*) on=${1#*=} ;;
            --unit=*) unit=${1#*=} ;;
            --*) ;;
            *) break ;;
            esac
            shift
        done
        echo "systemd-run $unit $on" >>calls
        if [ -e "units/$unit" ]; then exit 1; fi
        if [ -n "${RIG_NOW:-}" ]; then
            if [ -n "$on" ]; then
                echo "$((RIG_NOW + on)) $*" >"units/$unit"
            elif [ ! -e hang ]; then
                "$@" >/dev/null 2>&1 || true
            fi
            exit 0
        fi
        setsid sh -c 'unit=$1; on=$2; shift 2; sleep "$on"; rm -f "units/$unit.timer"; "$@"; rm -f "units/$unit"' \\
            sh "$unit" "${on:-0}" "$@" >/dev/null 2>&1 </dev/null &
        echo $! >"units/$unit"
        if [ -n "$on" ]; then cp "units/$unit" "units/$unit.timer"; fi
        """

    private static let systemctl = """
        if [ "$1" = is-active ]; then
            shift
            if [ "$1" = --quiet ]; then shift; fi
            case $1 in
            clavitor-node.service) cat unit; [ "$(cat unit)" = active ] ;;
            *.timer) [ -e "units/${1%.timer}" ] ;;
            *.service) [ -e "units/${1%.service}" ] ;;
            esac
            exit
        fi
        echo "systemctl $*" >>calls
        case $2 in
        *.timer)
            name=${2%.timer}
            if [ -n "${RIG_NOW:-}" ]; then rm -f "units/$name"; exit 0; fi
            [ -e "units/$name.timer" ] || exit 1
            ;;
        *) name=${2%.service} ;;
        esac
        [ -e "units/$name" ] || exit 1
        kill -- "-$(cat "units/$name")" || true
        rm -f "units/$name" "units/$name.timer"
        """

    private static let nixEnv = """
        echo "nix-env $*" >>calls
        [ ! -e nix-env-fails ] || exit 1
        case $3 in
        --set)
            [ "$(readlink -f profiles/system)" = "$4" ] && exit 0
            last=0
            for link in profiles/system-*-link; do
                number=$(echo "${link##*/}" | tr -dc 0-9)
                [ "$number" -le "$last" ] || last=$number
            done
            ln -s "$4" "profiles/system-$((last + 1))-link"
            ln -sfn "system-$((last + 1))-link" profiles/system
            ;;
        --switch-generation) ln -sfn "system-$4-link" profiles/system ;;
        --delete-generations) case $4 in +*) ;; *) rm "profiles/system-$4-link" ;; esac ;;
        esac
        """

    private static let nixStore = "echo \"nix-store $*\" >>calls"

    private static let admin = "echo \"$* ok\""

    private static let date = """
        if [ -n "${RIG_NOW:-}" ]; then echo "$RIG_NOW"; else exec /bin/date "$@"; fi
        """
}

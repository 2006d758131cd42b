-- Pushes heartbeats. CLAVITOR_PATHS names a file of lines "path name"; CLAVITOR_EVERY is the pause of each connection
-- between two pushes in milliseconds, 0 for none. Run with two threads: each takes every other node.

local threads = 0
local paths, names, beats = {}, {}, {}
local turn, asked = 0, 0
local every = tonumber(os.getenv("CLAVITOR_EVERY") or "0")
local connections = tonumber(os.getenv("CLAVITOR_CONNECTIONS") or "0") / 2
local boot = os.getenv("CLAVITOR_BOOT") or "bench"
local body = '{"node":"%s","ts":%d,"ram_mb":142.3,"ram_pct":27.7,"disk_mb":3210.4,"disk_pct":31.2,"cpu_pct":2.1,'
    .. '"db_size_mb":12.4,"db_integrity":"ok","active_sessions":3,"req_1h":847,"err_1h":2,"cert_days_remaining":62.4,'
    .. '"nix_gen":2,"uptime_s":864000,"boot_id":"%s","seq":%d,"phase":"running","version":"0.1.0","conns":12,'
    .. '"read_only":false,"audit_seq":%d,"audit_epoch":1,"audit_head":"8vyQ2dOVsGQNCVAHAZPqdwTYv2Kb9dNhqR0t7c9JtPs",'
    .. '"audit_ok":true,"last_backup_age_s":3600,"cert_lifetime_days":89.9,"p99_ms":4.2,"err_5xx_1h":0,'
    .. '"clock_offset_ms":2,"load_1m":0.12,"swap_mb":0,"psi_memory":0,"psi_io":0.1,"rss_mb":38.1,"beats_dropped":0}'

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init(args)
    math.randomseed(os.time() + 7919 * number)
    local index = 0
    for line in assert(io.open(assert(os.getenv("CLAVITOR_PATHS")))):lines() do
        local path, name = line:match("^(%S+) (%S+)$")
        if index % 2 == number then
            paths[#paths + 1], names[#names + 1], beats[#beats + 1] = path, name, 0
        end
        index = index + 1
    end
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    turn = turn % #paths + 1
    beats[turn] = beats[turn] + 1
    return wrk.format(
        "POST", paths[turn], nil, body:format(names[turn], os.time(), boot, beats[turn], 1000 + beats[turn]))
end

if every > 0 then
    -- The first beat of each connection at once, the second at a moment of its own.
    function delay()
        asked = asked + 1
        if asked <= connections then return 0 end
        return asked <= 2 * connections and math.random(0, every) or every
    end
end

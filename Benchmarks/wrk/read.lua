-- Reads random fields. CLAVITOR_PATHS names a file of lines "path token".

local requests = {}
local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init(args) -- wrk has set the Host header by now
    math.randomseed(os.time() + 7919 * number) -- a different order in each thread
    local name = assert(os.getenv("CLAVITOR_PATHS"), "CLAVITOR_PATHS is not set")
    for line in assert(io.open(name)):lines() do
        local path, token = line:match("^(%S+) (%S+)$")
        assert(path, "not a line of path and token: " .. line)
        wrk.headers["Authorization"] = "Bearer " .. token
        requests[#requests + 1] = wrk.format("GET", path)
    end
    assert(#requests > 0, name .. " is empty")
end

function request()
    return requests[math.random(#requests)]
end

-- A script of wrk (https://github.com/wg/wrk/blob/master/SCRIPTING): asks for what the file says that
-- MIX names, in turn. A line is a method, a path, and header fields, with tabs between them.
local requests, at, counts = {}, 0, {}
local thread

function setup(given) thread = given end

function init()
  for line in io.lines(os.getenv("MIX")) do
    local parts = {}
    for part in line:gmatch("[^\t]+") do parts[#parts + 1] = part end
    local headers = {}
    for index = 3, #parts do
      local name, value = parts[index]:match("^(.-): (.*)$")
      headers[name] = value
    end
    requests[#requests + 1] = wrk.format(parts[1], parts[2], headers)
  end
  statuses = counts
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status)
  counts[status] = (counts[status] or 0) + 1
end

function done()
  for status, count in pairs(thread:get("statuses")) do
    io.write(string.format("Status %d: %d\n", status, count))
  end
end

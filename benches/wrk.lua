-- Sends the ready-made requests of the file BENCH_REQUESTS in turn (separated by a zero byte), and prints the figures as JSON.
local requests = {}
for request in io.open(os.getenv("BENCH_REQUESTS"), "rb"):read("*a"):gmatch("[^%z]+") do
  requests[#requests + 1] = request
end

local next_one = 0
function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,"refused":%d,"broken":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.status, e.connect + e.read + e.write + e.timeout))
end

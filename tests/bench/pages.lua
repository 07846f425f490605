-- What wrk sends to measure pages: the GET requests of a file in turn, lines `path token tag`. With BENCH_KNOWN=1 each says that its reader
-- has the page of that tag. Environment: BENCH_REQUESTS (the file).
function init()
  local known = os.getenv("BENCH_KNOWN") == "1"
  requests = {}
  for line in io.lines(os.getenv("BENCH_REQUESTS")) do
    local path, token, tag = line:match("(%S+) (%S+) (%S*)")
    requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\r\nHost: bench\r\n" ..
      (known and "If-None-Match: " .. tag .. "\r\n" or "") .. "Authorization: Bearer " .. token .. "\r\n\r\n"
  end
  at = 0
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format("BENCH %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

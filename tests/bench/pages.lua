-- What wrk sends to measure pages: GET of BENCH_PAGE ("dashboard", "analytics/timeline" …) of all prepared spaces in turn, as one of their members.
-- A page that begins with `/` is one of no space. BENCH_KNOWN is the entity tag that the reader has.
-- Environment: BENCH_TARGETS (lines `space anime token`).
function init()
  local page, known = os.getenv("BENCH_PAGE"), os.getenv("BENCH_KNOWN") or ""
  local condition = known == "" and "" or "If-None-Match: " .. known .. "\r\n"
  requests = {}
  local seen = {}
  for line in io.lines(os.getenv("BENCH_TARGETS")) do
    local space, anime, token = line:match("(%S+) (%S+) (%S+)")
    if not seen[space] then
      seen[space] = true
      local path = page:sub(1, 1) == "/" and page or "/api/watch-spaces/" .. space .. "/" .. page
      requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\r\n" ..
        "Host: bench\r\n" .. condition .. "Authorization: Bearer " .. token .. "\r\n\r\n"
    end
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

-- What wrk sends to measure durable commands: participant-rating over all prepared anime by both members of their space, so that gaps
-- come and go, each score another than the last, so that every request is an event.
-- Environment: BENCH_TARGETS (lines `space anime token`), BENCH_KEYS=1 for a fresh Idempotency-Key per request, BENCH_THREADS (threads
-- take disjoint targets), BENCH_DELAY_MS (mean pause of a connection between requests, for a bounded rate).
local threads = tonumber(os.getenv("BENCH_THREADS") or "2")
local keys = os.getenv("BENCH_KEYS") == "1"
local delay_ms = tonumber(os.getenv("BENCH_DELAY_MS") or "0")
local counter = 0

function setup(thread)
  thread:set("number", counter)
  counter = counter + 1
end

function init()
  math.randomseed(os.time() * 1000 + number)
  run_name = string.format("%x-%d-", math.random(0, 0x7fffffff), number)
  heads, scores, sent = {}, {}, 0
  local index = 0
  for line in io.lines(os.getenv("BENCH_TARGETS")) do
    local space, anime, token = line:match("(%S+) (%S+) (%S+)")
    if index % threads == number then
      heads[#heads + 1] = "PATCH /api/watch-spaces/" .. space .. "/anime/" .. anime .. "/participant-rating HTTP/1.1\r\n" ..
        "Host: bench\r\nAuthorization: Bearer " .. token .. "\r\nContent-Type: application/json\r\n"
      scores[#scores + 1] = math.random(1, 20)
    end
    index = index + 1
  end
  bodies = {}
  for tenths = 1, 20 do
    local body = string.format('{"score":%.1f}', tenths / 2)
    bodies[tenths] = "Content-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

function request()
  sent = sent + 1
  local at = math.random(1, #heads)
  local score = scores[at] % 20 + 1
  scores[at] = score
  if keys then
    return heads[at] .. "Idempotency-Key: " .. run_name .. sent .. "\r\n" .. bodies[score]
  end
  return heads[at] .. bodies[score]
end

if delay_ms > 0 then
  function delay()
    return math.random(0, 2 * delay_ms)
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format("BENCH %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

-- wrk's script: sends the requests of the table in the file named after --, in turn; counts what
-- it sends and each status it gets, and prints that with the latencies as one line of JSON.
-- For one thread: each has variables of its own.

local threads = {}
local requests, position

sent, ok, other = 0, 0, 0

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  requests = {}
  for _, ask in ipairs(dofile(arguments[1])) do
    table.insert(requests, wrk.format(ask[1], ask[2], ask[3], ask[4]))
  end
  position = 0
  sent = -1 -- wrk asks for one request to look at it
end

function request()
  position = position % #requests + 1
  sent = sent + 1
  return requests[position]
end

function response(status)
  if status == 200 then
    ok = ok + 1
  else
    other = other + 1
  end
end

function done(summary, latency)
  local thread, errors = threads[1], summary.errors
  print(string.format(
    '{"microseconds": %d, "sent": %d, "answers": %d, "refused": %d, "socket_errors": %d,'
      .. ' "p50": %.3f, "p99": %.3f, "longest": %.3f}',
    summary.duration, thread:get("sent"), thread:get("ok"), thread:get("other"),
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end

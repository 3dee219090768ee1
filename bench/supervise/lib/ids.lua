-- wrk: every request has an id of its own. The first argument names the kind of client, the second says how many
-- milliseconds a connection waits before its next request: one kind must not leave the others without processor.
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end
function init(args)
  kind = args[1]
  pause = tonumber(args[2])
  count = 0
end
function delay()
  return pause
end
function request()
  count = count + 1
  return wrk.format(nil, "/?" .. kind .. "." .. number .. "." .. count)
end

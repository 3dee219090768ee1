-- wrk: every request has an id of its own. The first argument names the kind of client.
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end
function init(args)
  kind = args[1]
  count = 0
end
function request()
  count = count + 1
  return wrk.format(nil, "/?" .. kind .. "." .. number .. "." .. count)
end

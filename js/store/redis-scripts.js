'use strict';
/**
 * What Redis runs for a store, each script whole and by itself. An entry is a string under its own key: the tag and the
 * bytes. Beside the entries lie two sorted sets: `index`, all keys in the order of their bytes, and `ends`, when those end
 * that do: Redis takes an entry out by itself, and whoever meets its key in a set afterwards takes it out there.
 *
 * KEYS: index, ends. ARGV[1] begins the name of an entry, ARGV[2] that of a run of `getOrSet`.
 */

/** In front of every script. A time to live of '0' is none. */
const COMMON = `
local index, ends, entry, flight = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function put(key, value, ttl)
  if ttl == '0' then
    redis.call('SET', entry .. key, value)
    redis.call('ZREM', ends, key)
  else
    redis.call('SET', entry .. key, value, 'PX', ttl)
    redis.call('ZADD', ends, now() + ttl, key)
  end
  redis.call('ZADD', index, 0, key)
end
local function drop(key)
  redis.call('ZREM', index, key)
  redis.call('ZREM', ends, key)
  return redis.call('DEL', entry .. key)
end
local function sweep()
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now(), 'LIMIT', 0, 1000)) do
    if redis.call('EXISTS', entry .. key) == 0 then drop(key) end
  end
end
local function range(prefix, after, limit)
  local from, to = '-', '+'
  if prefix ~= '' then from, to = '[' .. prefix, '(' .. prefix .. '\\255' end
  if after then from = '(' .. after end
  return redis.call('ZRANGEBYLEX', index, from, to, 'LIMIT', 0, limit)
end
`;

const scripts = {
  /** ARGV[3...]: key, value, ttl of each. */
  setMany: `
sweep()
for at = 3, #ARGV, 3 do put(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end
return 0`,

  /** ARGV[3...]: keys. */
  delete: `
local count = 0
for at = 3, #ARGV do count = count + drop(ARGV[at]) end
return count`,

  /** ARGV[3]: key, ARGV[4]: what is added, ARGV[5]: ttl. Numbers are a 4 and a double. */
  incr: `
local key, by = ARGV[3], struct.unpack('<d', ARGV[4])
local found = redis.call('GET', entry .. key)
if not found then
  put(key, '\\4' .. ARGV[4], ARGV[5])
  return ARGV[4]
end
if string.byte(found) ~= 4 then return redis.error_reply('NOTNUMBER') end
local sum = struct.pack('<d', struct.unpack('<d', string.sub(found, 2)) + by)
redis.call('SET', entry .. key, '\\4' .. sum, 'KEEPTTL')
return sum`,

  /** ARGV[3]: key, ARGV[4]: what must be there, ARGV[5]: what shall be, each '' for nothing; ARGV[6]: ttl. */
  cas: `
if (redis.call('GET', entry .. ARGV[3]) or '') ~= ARGV[4] then return 0 end
if ARGV[5] == '' then drop(ARGV[3]) else put(ARGV[3], ARGV[5], ARGV[6]) end
return 1`,

  /** ARGV[3]: key, ARGV[4]: ttl. */
  touch: `
local found = redis.call('GET', entry .. ARGV[3])
if not found then return 0 end
put(ARGV[3], found, ARGV[4])
return 1`,

  /** ARGV[3]: prefix. As many as there are: a clear is one moment. */
  clear: `
local count = 0
for _, key in ipairs(range(ARGV[3], nil, -1)) do count = count + drop(key) end
return count`,

  size: `
while redis.call('ZCOUNT', ends, '-inf', now()) > 0 do
  local before = redis.call('ZCARD', ends)
  sweep()
  if redis.call('ZCARD', ends) == before then break end
end
return redis.call('ZCARD', index)`,

  /** ARGV[3]: prefix, ARGV[4]: '1' and ARGV[5] to begin after a key, ARGV[6]: how many. Gives keys and values in turn. */
  scan: `
local found, after, limit = {}, ARGV[4] == '1' and ARGV[5] or nil, tonumber(ARGV[6])
while true do
  local keys = range(ARGV[3], after, limit)
  for _, key in ipairs(keys) do
    local value = redis.call('GET', entry .. key)
    if value then
      found[#found + 1] = key
      found[#found + 1] = value
      if #found == 2 * limit then return found end
    else
      drop(key)
    end
    after = key
  end
  if #keys < limit then return found end
end`,

  /** ARGV[3]: key, ARGV[4]: token, ARGV[5]: for how long the run is believed in. */
  claim: `
local run = flight .. ARGV[3]
if redis.call('EXISTS', entry .. ARGV[3]) == 1 then return 2 end
if redis.call('EXISTS', run) == 1 and redis.call('HEXISTS', run, 'error') == 0 then return 1 end
redis.call('DEL', run)
redis.call('HSET', run, 'token', ARGV[4])
redis.call('PEXPIRE', run, ARGV[5])
return 0`,

  /** ARGV[3]: key, ARGV[4]: token, ARGV[5]: lease; '0' ends the run. */
  renew: `
local run = flight .. ARGV[3]
if redis.call('HGET', run, 'token') ~= ARGV[4] or redis.call('HEXISTS', run, 'error') == 1 then return 0 end
return redis.call('PEXPIRE', run, ARGV[5])`,

  /** ARGV[3]: key, ARGV[4]: token, ARGV[5]: value or '', ARGV[6]: its ttl, ARGV[7]: error or '', ARGV[8]: kept for. */
  settle: `
local run = flight .. ARGV[3]
if redis.call('HGET', run, 'token') ~= ARGV[4] then return 0 end
if ARGV[7] ~= '' then
  redis.call('HSET', run, 'error', ARGV[7])
  redis.call('PEXPIRE', run, ARGV[8])
  return 1
end
redis.call('DEL', run)
if ARGV[5] ~= '' then put(ARGV[3], ARGV[5], ARGV[6]) end
return 1`,
};

/** name -> Lua. */
module.exports = Object.fromEntries(Object.entries(scripts).map(([name, lua]) => [name, COMMON + lua]));

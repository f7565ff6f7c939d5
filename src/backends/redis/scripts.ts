/**
 * Stores each text unless the state that is there forbids it, and tells those who wait: one step for all of them.
 *
 * KEYS: a key each. ARGV: the time, whether the call may be the repetition of one that was made, then for each key its text,
 * the milliseconds until it expires or '', and the states that may be there, a line each, or ''. Every text begins with its status.
 * Replies with a digit for each key: 1 stored, 0 refused, 2 when what is there cannot be read.
 */
export const STORE_RESULTS: string = `
local call, match = redis.call, string.match
local now, repeated = tonumber(ARGV[1]), ARGV[2] == '1'
local FINAL = { SUCCESS = true, REVOKED = true }
local READY = { SUCCESS = true, REVOKED = true, FAILURE = true }

local function write(key, text, ttl, unlessThere)
  local done
  if ttl == '' then
    done = unlessThere and call('SET', key, text, 'NX') or not unlessThere and call('SET', key, text)
  else
    done = unlessThere and call('SET', key, text, 'NX', 'PX', ttl) or not unlessThere and call('SET', key, text, 'PX', ttl)
  end
  if done then call('PUBLISH', key, text) end
  return done
end

-- The state, PENDING when it has expired by our own time, nil when it cannot be told.
local function stateOf(text)
  local status = match(text, '^{"status": "([^"\\\\]+)"[,}]')
  local expires = status and match(text, '^{"status": "[^"]+", "celeriac%-expires": (%d+)')
  if not status then
    local read, meta = pcall(cjson.decode, text)
    if not read or type(meta) ~= 'table' or type(meta.status) ~= 'string' then return nil end
    status, expires = meta.status, meta['celeriac-expires']
  end
  if tonumber(expires) and tonumber(expires) <= now then return 'PENDING' end
  return status
end

local function store(key, text, ttl, over)
  local mayBeFirst = over == '' or string.find(over, '\\nPENDING\\n', 1, true)
  if mayBeFirst and write(key, text, ttl, true) then return '1' end

  local old = redis.pcall('GET', key)
  if type(old) == 'table' then return '2' end
  if repeated and old == text then return '1' end
  local stored = 'PENDING'
  if old then stored = stateOf(old) end
  if not stored then return '2' end
  if over ~= '' and not string.find(over, '\\n' .. stored .. '\\n', 1, true) then return '0' end
  if FINAL[stored] or (READY[stored] and not READY[stateOf(text)]) then return '0' end
  write(key, text, ttl, false)
  return '1'
end

local done = {}
for i = 1, #KEYS do done[i] = store(KEYS[i], ARGV[3 * i], ARGV[3 * i + 1], ARGV[3 * i + 2]) end
return table.concat(done)`

/**
 * Stores what the server cannot read, if nothing has changed since the caller looked, and tells those who wait.
 *
 * KEYS: the key. ARGV: the SHA-1 of what is expected there, '' for nothing; what is to be stored; the milliseconds until it expires or ''.
 * Replies with 1 when it was stored, else with what is there: nil for nothing, 0 for what is no string.
 */
export const STORE_IF_UNCHANGED: string = `
local key, expected, new, ttl = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local old = redis.pcall('GET', key)
if type(old) == 'table' then return 0 end
if (old and redis.sha1hex(old) or '') ~= expected then return old end
if ttl == '' then redis.call('SET', key, new) else redis.call('SET', key, new, 'PX', ttl) end
redis.call('PUBLISH', key, new)
return 1`

/** Deletes those of KEYS whose time is over by the clock that they were stored with: the time is ARGV[1]. Replies with how many. */
export const FORGET_EXPIRED: string = `
local count = 0
for i = 1, #KEYS do
  local head = redis.pcall('GETRANGE', KEYS[i], 0, 200)
  local expires = type(head) == 'string' and string.match(head, '^{"status": "[^"]*", "celeriac%-expires": (%d+)')
  if expires and tonumber(expires) <= tonumber(ARGV[1]) then count = count + redis.call('DEL', KEYS[i]) end
end
return count`

/**
 * Adds what a member of a chord ended with. In a chord with places a member that is run again counts as it did at first; in order of
 * completion, as with Celery, only the very same part is passed over, so one that ended otherwise the second time counts twice.
 *
 * KEYS: parts, size, members added later. ARGV: the place in the chord or +inf, or '' for parts in order of completion; the part;
 * how every part of this member begins; the milliseconds until it all expires or ''. Replies with the number of parts, the size and the
 * number of members added later, as they are stored.
 */
export const ADD_CHORD_PART: string = `
local parts, size, later = KEYS[1], KEYS[2], KEYS[3]
local place, part, begins, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local count
if place == '' then
  if not redis.call('LPOS', parts, part) then redis.call('RPUSH', parts, part) end
  count = redis.call('LLEN', parts)
else
  local isThere = false
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', parts, place, place)) do
    isThere = isThere or string.sub(other, 1, #begins) == begins
  end
  if not isThere then redis.call('ZADD', parts, place, part) end
  count = redis.call('ZCARD', parts)
end
if ttl ~= '' then for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ttl) end end
return { count, redis.call('GET', size), redis.call('GET', later) }`

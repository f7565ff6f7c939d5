/**
 * What several scripts share: reading what we say of a message at the front of its envelope (`stored-message.ts`), reading the
 * envelope back out of `unacked`, and finding a message's place in a list. Bytes of an envelope are cut and joined, never decoded and
 * encoded again: that would change numbers, empty arrays and nulls.
 */
export const LUA_FUNCTIONS: string = `
local LOSSES = '^%s*{"celeriac%-losses": %d+, '

local function urgency(raw)
  return tonumber(string.match(raw, '^%s*{"celeriac%-priority": (%d)') or string.match(raw, LOSSES .. '"celeriac%-priority": (%d)') or 0)
end

-- When our side published it, in milliseconds; nothing for a foreign message.
local function published(raw)
  return tonumber(string.match(raw, '^%s*{[^{}%[%]]-"celeriac%-published": ([%d.]+), '))
end

-- The text from 'at' on, where an envelope begins, with so many losses (a text) written at its front. Cut by position: a pattern
-- would look at every byte.
local function withLosses(raw, losses, at)
  local _, stop = string.find(raw, LOSSES, at)
  if not stop then _, stop = string.find(raw, '^%s*{', at) end
  if not stop then return string.sub(raw, at) end
  local rest = string.sub(raw, stop + 1)
  if losses == '0' then return '{' .. rest end
  return '{"celeriac-losses": ' .. losses .. ', ' .. rest
end

-- A value of the hash of unacknowledged messages: the envelope, and the exchange and the routing key, both as JSON. Nothing for what
-- is none.
local function parts(value)
  return string.match(value, '^%s*%[%s*(.*),%s*(".-"),%s*(".-")%s*%]%s*$')
end

local function text(json)
  if not string.find(json, '\\\\', 1, true) then return string.sub(json, 2, -2) end
  return cjson.decode('[' .. json .. ']')[1]
end

-- Arguments of one call are limited, so long tables are pushed in parts. From the last to the first when reversed.
local function push(command, list, values, reversed)
  for from = 1, #values, 1000 do
    local some = {}
    for at = from, math.min(from + 999, #values) do
      some[#some + 1] = reversed and values[#values + 1 - at] or values[at]
    end
    redis.call(command, list, unpack(some))
  end
end

-- At most so many waiting messages are looked at; behind more of the same urgency, a message comes before some of them.
local MOST_PASSED = 2000

local MOST_OLDER_PASSED = 200

-- Puts messages, the first of them next in line, behind all waiting ones that are at least so urgent, and, if a time is given, behind
-- those a degree less urgent that were published before it.
local function place(list, raws, least, stamp)
  local leftmost = redis.call('LINDEX', list, 0)
  if not leftmost or urgency(leftmost) >= least then
    push('LPUSH', list, raws)
    return
  end
  local passed, older, size, stopped = 0, 0, 1, false
  local function goesBefore(raw)
    local its = urgency(raw)
    if its >= least then return true end
    if not stamp or its < least - 1 or older == MOST_OLDER_PASSED then return false end
    older = older + 1
    return (published(raw) or stamp) < stamp
  end
  while not stopped and passed < MOST_PASSED do
    local chunk = redis.call('LRANGE', list, -(passed + size), -(passed + 1))
    for at = #chunk, 1, -1 do
      if not goesBefore(chunk[at]) then
        stopped = true
        break
      end
      passed = passed + 1
    end
    if #chunk < size then stopped = true end
    size = math.min(size * 4, 100)
  end
  local before = passed > 0 and redis.call('RPOP', list, passed) or {}
  push('RPUSH', list, raws, true)
  if passed > 0 then push('RPUSH', list, before, true) end
end
`

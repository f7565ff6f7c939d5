import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * Takes up to a number of messages and records them as unacknowledged under ids of their own, all in one step, so that a message is
 * never outside both. Parked ones that are due are put back first, to be next in line.
 *
 * The lists of foreign steps of priority come after all bare ones. Of several queues each gets its turn, unless their order is strict;
 * urgent messages go before.
 *
 * When nothing is left, the server tells the caller as soon as one of KEYS changes, for they are read after all changes. Redis 7.0
 * and older watch the keys of a script that reads anything, later ones those that it reads.
 *
 * KEYS: all lists and parked sets. ARGV: registration, now (ms), score, how many, first number of an id, how many to
 * unpark at most, bytes of an element above which its body is measured, bytes allowed to a body, number of queues, whether their
 * order is strict, the keys of consumer leases, unacked and unacked_index, for each queue: list, parked set, end of its values in
 * unacked; then separator and steps.
 *
 * Returns nothing when the registration is gone, otherwise the time when the next parked message is due (or ''), then, for each list
 * that messages came from, the number of its queue (from 1), its step and the messages, numbered through all lists. In the place of one
 * with too large a body is a list of two texts: its size, and the envelope without the body.
 */
export const CLAIM: RedisScript = new RedisScript(`
-- Making functions costs more than most claims, which need none of these.
local function library()
  ${LUA_FUNCTIONS}
  return place, urgency
end

local lease = redis.call('ZSCORE', ARGV[11], ARGV[1])
if not lease or tonumber(lease) == 0 then return false end
local now, score, room, nextId = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local mostUnparked, measured, allowed, queues = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local isStrict = ARGV[10] == '1'
local sep = ARGV[14 + queues * 3]
local prefix = 'celeriac:' .. ARGV[1] .. ':'

local function unpark(list, parked)
  local place, urgency = library()
  local due = redis.call('ZRANGEBYSCORE', parked, '-inf', now, 'LIMIT', 0, mostUnparked)
  for at = #due, 1, -1 do
    local step, raw = string.match(due[at], '^(%d+):(.*)$')
    place(step == '0' and list or list .. sep .. step, { raw }, urgency(raw) + 1)
  end
  redis.call('ZREM', parked, unpack(due))
  return redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')
end

-- The size of a body, and the envelope with an empty one.
local function measure(raw)
  local isJson, envelope = pcall(cjson.decode, raw)
  if not isJson or type(envelope) ~= 'table' or type(envelope.body) ~= 'string' then return #raw, '' end
  local body, size = envelope.body, #envelope.body
  if type(envelope.properties) == 'table' and envelope.properties.body_encoding == 'base64' then
    size = math.floor(size * 3 / 4) - #string.match(body, '=?=?$')
  end
  local from, to = string.find(raw, '"' .. body .. '"', 1, true)
  return size, from and string.sub(raw, 1, from) .. string.sub(raw, to) or ''
end

local due = ''
for at = 14, 11 + queues * 3, 3 do
  local list, parked = ARGV[at], ARGV[at + 1]
  local head = redis.call('ZRANGE', parked, 0, 0, 'WITHSCORES')
  if head[2] and tonumber(head[2]) <= now then head = unpark(list, parked) end
  if head[2] and (due == '' or tonumber(head[2]) < tonumber(due)) then due = head[2] end
end

local taken, scores, values, count = { due }, {}, {}, 0
local insert = table.insert

local function take(queue, step, most)
  local from, ending = ARGV[11 + queue * 3], ARGV[13 + queue * 3]
  if step ~= '' then from = from .. sep .. step end
  local raws = redis.call('RPOP', from, most)
  if not raws then return 0 end
  local behind, size = step == '' and '' or ':' .. step, #raws
  for at = 1, size do
    local raw, id, place = raws[at], prefix .. nextId .. behind, 2 * (count + at)
    nextId = nextId + 1
    scores[place - 1], scores[place] = score, id
    values[place - 1], values[place] = id, '[' .. raw .. ending
    if #raw > measured then
      local bytes, rest = measure(raw)
      if bytes > allowed then raws[at] = { tostring(bytes), rest } end
    end
  end
  insert(taken, queue)
  insert(taken, step)
  insert(taken, raws)
  count = count + size
  room = room - size
  return size
end

local function takeUrgent()
  local _, urgency = library()
  while room > 0 do
    local best, most = 0, 0
    for queue = 1, queues do
      local last = redis.call('LINDEX', ARGV[11 + queue * 3], -1)
      local its = last and urgency(last) or 0
      if its > most then best, most = queue, its end
    end
    if best == 0 then return end
    take(best, '', 1)
  end
end

local function takeInTurn(step)
  local active = {}
  for queue = 1, queues do active[queue] = queue end
  while room > 0 and #active > 0 do
    local share, left = isStrict and room or math.max(1, math.floor(room / #active)), {}
    for _, queue in ipairs(active) do
      local asked = math.min(share, room)
      if asked > 0 and take(queue, step, asked) == asked then left[#left + 1] = queue end
    end
    active = left
  end
end

if room > 0 then
  if queues > 1 then takeUrgent() end
  takeInTurn('')
  if room > 0 and redis.call('EXISTS', unpack(KEYS)) > 0 then
    for at = 15 + queues * 3, #ARGV do takeInTurn(ARGV[at]) end
    redis.call('EXISTS', unpack(KEYS))
  end
  if count > 0 then
    redis.call('ZADD', ARGV[13], unpack(scores))
    redis.call('HSET', ARGV[12], unpack(values))
  end
end
return taken
`)

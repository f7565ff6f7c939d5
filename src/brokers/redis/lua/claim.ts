import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * Takes up to a number of messages and records them as unacknowledged under ids of their own, all in one step, so that a message is
 * never outside both. Parked ones that are due are put back first, to be next in line.
 *
 * The lists of foreign steps of priority come after all bare ones. Of several queues each gets its turn, unless their order is strict;
 * urgent messages go before.
 *
 * When nothing is left, the server tells the caller as soon as one of KEYS changes: they are read at the end, after all changes. Redis 7.0
 * and older watch the keys of a script that reads anything, later ones those that it reads.
 *
 * KEYS: all lists and parked sets. ARGV: registration, now (ms), score, how many, first number of an id, how many to
 * unpark at most, bytes of an element above which its body is measured, bytes allowed to a body, number of queues, whether their
 * order is strict, the keys of consumer leases, unacked and unacked_index, for each queue: list, parked set, end of its values in
 * unacked; then separator and steps.
 *
 * Returns nothing when the registration is gone, otherwise the time when the next parked message is due (or ''), then for each
 * message the number of its queue (from 1), its step and its bytes. Of one with too large a body the number is negative, and the
 * bytes are `size:` and the envelope without the body.
 */
export const CLAIM: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local lease = redis.call('ZSCORE', ARGV[11], ARGV[1])
if not lease or tonumber(lease) == 0 then return false end
local now, score, room, nextId = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local mostUnparked, measured, allowed, count = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local isStrict = ARGV[10] == '1'
local function list(queue) return ARGV[11 + queue * 3] end
local function parked(queue) return ARGV[12 + queue * 3] end
local function tail(queue) return ARGV[13 + queue * 3] end
local sep = ARGV[14 + count * 3]
local prefix = 'celeriac:' .. ARGV[1] .. ':'

local function unpark(queue)
  local head = redis.call('ZRANGE', parked(queue), 0, 0, 'WITHSCORES')
  if not head[1] or tonumber(head[2]) > now then return head[2] end
  local due = redis.call('ZRANGEBYSCORE', parked(queue), '-inf', now, 'LIMIT', 0, mostUnparked)
  for at = #due, 1, -1 do
    local step, raw = string.match(due[at], '^(%d+):(.*)$')
    place(step == '0' and list(queue) or list(queue) .. sep .. step, { raw }, urgency(raw) + 1)
  end
  if #due > 0 then redis.call('ZREM', parked(queue), unpack(due)) end
  return redis.call('ZRANGE', parked(queue), 0, 0, 'WITHSCORES')[2]
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
for queue = 1, count do
  local at = unpark(queue)
  if at and (due == '' or tonumber(at) < tonumber(due)) then due = at end
end

local taken, scores, values = { due }, {}, {}

local function take(queue, step, most)
  local from = list(queue)
  if step ~= '' then from = from .. sep .. step end
  local raws = redis.call('RPOP', from, most)
  if not raws then return 0 end
  local ending = tail(queue)
  for at = 1, #raws do
    local raw, id = raws[at], prefix .. nextId
    if step ~= '' then id = id .. ':' .. step end
    scores[#scores + 1] = score
    scores[#scores + 1] = id
    values[#values + 1] = id
    values[#values + 1] = '[' .. raw .. ending
    nextId = nextId + 1
    if #raw > measured then
      local size, rest = measure(raw)
      if size > allowed then
        taken[#taken + 1] = -queue
        raw = size .. ':' .. rest
      else
        taken[#taken + 1] = queue
      end
    else
      taken[#taken + 1] = queue
    end
    taken[#taken + 1] = step
    taken[#taken + 1] = raw
  end
  room = room - #raws
  return #raws
end

local function takeUrgent()
  while room > 0 do
    local best, most = 0, 0
    for queue = 1, count do
      local last = redis.call('LINDEX', list(queue), -1)
      local its = last and urgency(last) or 0
      if its > most then best, most = queue, its end
    end
    if best == 0 then return end
    take(best, '', 1)
  end
end

local function takeInTurn(step)
  local active = {}
  for queue = 1, count do active[queue] = queue end
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
  if count > 1 then takeUrgent() end
  takeInTurn('')
  for at = 15 + count * 3, #ARGV do takeInTurn(ARGV[at]) end
  if #values > 0 then
    redis.call('ZADD', ARGV[13], unpack(scores))
    redis.call('HSET', ARGV[12], unpack(values))
  end
end
if room > 0 then redis.call('EXISTS', unpack(KEYS)) end
return taken
`)

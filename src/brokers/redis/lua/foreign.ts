import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * Puts a message back that a foreign worker, or one nobody knows of, has had for too long: to be next in line in each list it belongs
 * to, with the flags that kombu sets. Returns 0 when somebody else was quicker, -1 when the value is no envelope with its place.
 *
 * KEYS: unacked, unacked_index. ARGV: id, latest score that is too old, lists.
 */
export const RESTORE: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local function flagged(raw, object)
  local marked, count = string.gsub(raw, '("' .. object .. '": ?{)}', '%1"redelivered": true}', 1)
  if count == 1 then return marked end
  return (string.gsub(raw, '("' .. object .. '": ?{)', '%1"redelivered": true, ', 1))
end
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value then
  local raw = parts(value)
  if not raw then return -1 end
  if not string.find(raw, '"redelivered": ?true') then raw = flagged(flagged(raw, 'headers'), 'delivery_info') end
  for at = 3, #ARGV do place(ARGV[at], { raw }, urgency(raw) + 1) end
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
`)

/**
 * The ids that begin with a prefix among those with a score in a range, the lowest first. KEYS: unacked_index. ARGV: prefix, lowest and
 * highest score, how many are looked at, how many are wanted. Returns id and score, one after the other.
 */
export const FIND_CLAIMS: RedisScript = new RedisScript(`
local found = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], ARGV[3], 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local listed = {}
for at = 1, #found, 2 do
  if #listed >= 2 * ARGV[5] then break end
  if string.sub(found[at], 1, #ARGV[1]) == ARGV[1] then
    listed[#listed + 1] = found[at]
    listed[#listed + 1] = found[at + 1]
  end
end
return listed
`)

/** Deletes a key that holds a value. KEYS: it. ARGV: the value. */
export const COMPARE_AND_DELETE: RedisScript = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)

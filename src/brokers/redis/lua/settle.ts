import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * Removes messages that are done. An id that is not there was lost to somebody else and changes nothing.
 *
 * KEYS: unacked, unacked_index. ARGV: ids, at most a few thousand.
 */
export const ACK: RedisScript = new RedisScript(`
redis.call('ZREM', KEYS[2], unpack(ARGV))
return redis.call('HDEL', KEYS[1], unpack(ARGV))
`)

/**
 * Writes into messages that are out how often they count as lost from now on, so that whoever puts them back after a crash, Python
 * included, has counted the loss.
 *
 * KEYS: unacked. ARGV: id and number, for each.
 */
export const BEGIN: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
for at = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value then
    redis.call('HSET', KEYS[1], ARGV[at], '[' .. withLosses(value, ARGV[at + 1], 2))
  end
end
`)

/**
 * Moves messages that are out to the dead letters, each after a line that says why.
 *
 * KEYS: unacked, unacked_index, dead, dead counts. ARGV: id, queue and line, for each. Returns how many were there.
 */
export const BURY: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local buried = 0
for at = 1, #ARGV, 3 do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value then
    redis.call('LPUSH', KEYS[3], ARGV[at + 2] .. '\\n' .. (parts(value) or value))
    redis.call('HINCRBY', KEYS[4], ARGV[at + 1], 1)
    redis.call('HDEL', KEYS[1], ARGV[at])
    buried = buried + 1
  end
  redis.call('ZREM', KEYS[2], ARGV[at])
end
return buried
`)

/**
 * Puts messages that are out with us back where they came from, or parks them. Those we published come before all that were published
 * later. Of others the last one given is next in line, so the oldest has to be the last.
 *
 * KEYS: unacked, unacked_index. ARGV: prefix of keys, separator, prefix of parked sets, then for each its id, its losses ('' for those
 * that are written in it) and when it is due ('' for now). Returns how many were there.
 */
export const GIVE_BACK: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local keyPrefix, sep, parkedPrefix, given = ARGV[1], ARGV[2], ARGV[3], 0
for at = 4, #ARGV, 3 do
  local id, losses, due = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local value = redis.call('HGET', KEYS[1], id)
  if value then
    local raw, _, key = parts(value)
    -- Somebody else has changed it: it stays out, and the sweep says so.
    if raw then
      local queue, step = text(key), string.match(id, '^celeriac:[^:]+:%d+:(%d+)$')
      if losses ~= '' then raw = withLosses(raw, losses, 1) end
      if due == '' then
        place(keyPrefix .. queue .. (step and sep .. step or ''), { raw }, urgency(raw) + 1, published(raw))
      else
        redis.call('ZADD', parkedPrefix .. queue, due, (step or '0') .. ':' .. raw)
      end
      redis.call('HDEL', KEYS[1], id)
      redis.call('ZREM', KEYS[2], id)
      given = given + 1
    end
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return given
`)

import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * One part of a count of what is out, by queue. KEYS: unacked. ARGV: cursor. Returns the next cursor, then queue and number, for each.
 */
export const COUNT_UNACKED: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 500)
local counts = {}
for at = 2, #page[2], 2 do
  local _, _, key = parts(page[2][at])
  if key then counts[key] = (counts[key] or 0) + 1 end
end
local listed = { page[1] }
for key, count in pairs(counts) do
  listed[#listed + 1] = text(key)
  listed[#listed + 1] = count
end
return listed
`)

/**
 * Empties a queue, which is then no longer known, unless it has dead letters or messages out. Returns how many messages went.
 *
 * KEYS: known queues, dead counts, its parked set, its lists. ARGV: the queue, whether it has messages out.
 */
export const PURGE: RedisScript = new RedisScript(`
local count = redis.call('ZCARD', KEYS[3])
for at = 4, #KEYS do count = count + redis.call('LLEN', KEYS[at]) end
redis.call('UNLINK', unpack(KEYS, 3))
if ARGV[2] == '0' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then redis.call('SREM', KEYS[1], ARGV[1]) end
return count
`)

/** Some dead letters: of one that cannot be read only its first line, which says all that is shown. KEYS: dead. ARGV: first, last. */
export const READ_DEAD: RedisScript = new RedisScript(`
local letters = redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])
for at, letter in ipairs(letters) do
  local line = string.match(letter, '^[^\\n]*')
  if string.find(line, '"reason":"malformed"', 1, true) then letters[at] = line end
end
return letters
`)

import { RedisScript } from '../../../internal/redis/script.ts'

/**
 * Takes or renews a lease, unless somebody else holds it: then returns what is written in it. The server forgets one that ran out
 * some time after nobody can hold it any more.
 *
 * KEYS: the lease. ARGV: owner, now, end, what to write, milliseconds to keep, what may be overwritten though it is held.
 */
export const ACQUIRE_LEASE: RedisScript = new RedisScript(`
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[6] then
  local isOurs, lease = pcall(cjson.decode, held)
  if isOurs and lease.owner ~= ARGV[1] and lease.until_ms > tonumber(ARGV[2]) then return held end
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
return false
`)

/** Ends a lease of that owner. KEYS: the lease. ARGV: owner. */
export const RELEASE_LEASE: RedisScript = new RedisScript(`
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
local isOurs, lease = pcall(cjson.decode, held)
if isOurs and lease.owner == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`)

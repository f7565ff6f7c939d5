import { RedisScript } from '../../../internal/redis/script.ts'

/**
 * Renews the lease of a consumer and of what it has out, and says anew what it is, if that is given. Returns 0 and changes nothing when
 * its registration is gone, because somebody took it for dead.
 *
 * KEYS: consumers, consumer leases, unacked_index. ARGV: registration, end of the lease, what it says of itself ('' for no change),
 * score, ids.
 */
export const RENEW: RedisScript = new RedisScript(`
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not lease or tonumber(lease) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
for at = 5, #ARGV do redis.call('ZADD', KEYS[3], 'XX', ARGV[4], ARGV[at]) end
return 1
`)

/** All registrations: id, what the consumer says of itself, end of its lease, one after the other. KEYS: consumers, consumer leases. */
export const LIST_CONSUMERS: RedisScript = new RedisScript(`
local listed = {}
local leases = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for at = 1, #leases, 2 do
  listed[#listed + 1] = leases[at]
  listed[#listed + 1] = redis.call('HGET', KEYS[1], leases[at]) or ''
  listed[#listed + 1] = leases[at + 1]
end
return listed
`)

/**
 * Marks a consumer as dead, if its lease is what it was when it was found so. It then neither claims nor renews under that
 * registration. Returns whether it is marked. KEYS: consumer leases. ARGV: registration, the lease that was seen.
 */
export const MARK_DEAD: RedisScript = new RedisScript(`
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease or tonumber(lease) ~= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return 1
`)

/** Adds a registration (with what it says of itself and the end of its lease), or ends one. KEYS: consumers, consumer leases. */
export const REGISTER: RedisScript = new RedisScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
`)

/** Ends a registration. KEYS: consumers, consumer leases. ARGV: registration. */
export const UNREGISTER: RedisScript = new RedisScript(`
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
`)

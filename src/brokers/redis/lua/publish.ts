import { RedisScript } from '../../../internal/redis/script.ts'
import { LUA_FUNCTIONS } from './functions.ts'

/**
 * Accepts messages for several places, all or none: `push` to the end of a list, `place` behind what is at least as urgent, `park`
 * until a time, and `add` to a set, which is how a queue is declared.
 *
 * ARGV, for each: what to do, key, argument (urgency, time or ''), number of values, values.
 */
export const PUBLISH: RedisScript = new RedisScript(`${LUA_FUNCTIONS}
local at = 1
while at <= #ARGV do
  local what, key, argument, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local values = {}
  for index = 1, count do values[index] = ARGV[at + 3 + index] end
  if what == 'push' then push('LPUSH', key, values)
  elseif what == 'add' then push('SADD', key, values)
  elseif what == 'place' then place(key, values, tonumber(argument))
  else for _, value in ipairs(values) do redis.call('ZADD', key, argument, value) end
  end
  at = at + 4 + count
end
`)

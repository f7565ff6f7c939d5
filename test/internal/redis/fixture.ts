import { parseRedisUrl, type RedisUrlOptions } from '../../../src/internal/redis/address.ts'
import type { RedisConnectionOptions } from '../../../src/internal/redis/connection.ts'
import { systemClock } from '../../../src/internal/clock.ts'
import { silentLogger } from '../../../src/internal/logger.ts'

/** Options of a connection to `url` in a test. */
export function connectionOptions(url: string, more: Partial<RedisConnectionOptions> & { url?: RedisUrlOptions } = {}): RedisConnectionOptions {
  const { url: urlOptions, ...rest } = more
  return { name: 'The broker "redis"', address: parseRedisUrl(url, urlOptions), connectionTimeoutMs: 2000, clock: systemClock, logger: silentLogger, ...rest }
}

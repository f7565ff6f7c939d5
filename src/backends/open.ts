import type { ResultBackend } from '../backend.ts'
import { OperationalError } from '../errors.ts'
import { REDIS_SCHEMES } from '../internal/redis/address.ts'
import type { SqliteOptions } from '../internal/sqlite/database.ts'
import { MemoryBackend } from './memory.ts'
import { RedisBackend, type RedisBackendOptions } from './redis/backend.ts'
import { SqliteBackend } from './sqlite.ts'

/** What every result backend is opened with; a driver takes what it has a use for. */
export type OpenBackendOptions = SqliteOptions & RedisBackendOptions

/**
 * Makes the result backend that a URL names; `connect()` opens it. The URLs are those of brokers, and one file may serve as both.
 *
 * @throws {@link OperationalError} for a scheme that no driver here knows.
 */
export function openBackend(url: string, options: OpenBackendOptions): ResultBackend {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  if (scheme === 'sqlite:') return new SqliteBackend(url, options)
  if (scheme === 'memory:') return new MemoryBackend(url, options)
  if (REDIS_SCHEMES.includes(scheme.slice(0, -1))) return new RedisBackend(url, options)
  throw new OperationalError(`Expected a result backend URL that begins with sqlite:, memory: or redis:, got one that begins with "${scheme}". Change resultBackend.`)
}

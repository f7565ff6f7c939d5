import type { Broker } from '../broker.ts'
import { OperationalError } from '../errors.ts'
import { REDIS_SCHEMES } from '../internal/redis/address.ts'
import { MemoryBroker } from './memory.ts'
import { RedisBroker, type RedisBrokerOptions } from './redis/broker.ts'
import { SqliteBroker, type SqliteBrokerOptions } from './sqlite/broker.ts'

/** What every broker is opened with; a driver takes what it has a use for. */
export type OpenBrokerOptions = SqliteBrokerOptions & RedisBrokerOptions

/**
 * Makes the broker that a URL names; `connect()` opens it.
 *
 * `sqlite:` (the file `<root>/.celeriac/celeriac.db`), `sqlite:relative.db`, `sqlite:///absolute.db`, `memory:`, `memory://name`,
 * `redis://host:6379/0`, `rediss://…`, `redis+socket:///path`, `sentinel://a;sentinel://b`.
 * @throws {@link OperationalError} for a scheme that no driver here knows.
 */
export function openBroker(url: string, options: OpenBrokerOptions): Broker {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  if (scheme === 'sqlite:') return new SqliteBroker(url, options)
  if (scheme === 'memory:') return new MemoryBroker(url, options)
  if (REDIS_SCHEMES.includes(scheme.slice(0, -1))) return new RedisBroker(url, options)
  throw new OperationalError(`Expected a broker URL that begins with sqlite:, memory: or redis:, got one that begins with "${scheme}". Change brokerUrl.`)
}

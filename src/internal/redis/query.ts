import { ImproperlyConfigured } from '../../errors.ts'
import { type RedisTls, tlsSetting } from './tls.ts'

/** What the query of a Redis URL says. */
export interface RedisQuery {
  readonly database: string | undefined
  readonly tls: Partial<RedisTls>
}

/** Parameters that Celery hands to Python's client. Here they are transport options, or have no meaning. */
const WITHOUT_EFFECT = new Set([
  'client_name',
  'connection_class',
  'decode_responses',
  'encoding',
  'health_check_interval',
  'max_connections',
  'protocol',
  'retry_on_timeout',
  'socket_connect_timeout',
  'socket_keepalive',
  'socket_timeout',
  'timeout',
])

/**
 * Reads the query of a Redis URL.
 * @throws {@link ImproperlyConfigured} for a parameter that nobody knows, which is most likely a misspelt one.
 */
export function readQuery(query: string): RedisQuery {
  let database: string | undefined
  let tls: Partial<RedisTls> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'virtual_host' || name === 'db') database = value.replace(/^\//, '')
    else if (name.startsWith('ssl_')) tls = { ...tls, ...tlsSetting(name, value) }
    else if (!WITHOUT_EFFECT.has(name)) throw new ImproperlyConfigured([`has the unknown parameter ${JSON.stringify(name)}`])
  }
  return { database, tls }
}

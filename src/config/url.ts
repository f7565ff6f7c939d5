import { ImproperlyConfigured } from '../errors.ts'
import { REDIS_SCHEMES, redisUrlProblem } from '../internal/redis/address.ts'
import { nearest } from './nearest.ts'

/** Where messages or results are kept, read from a URL. */
export type StoreUrl =
  /** `path` is as written, nothing in it is an escape; empty for the default file. A relative one starts at the root. */
  | { readonly scheme: 'sqlite'; readonly path: string }
  /** Stores of the same `name` in one process are one store. */
  | { readonly scheme: 'memory'; readonly name: string }
  /** Any of the schemes of Redis: `redis:`, `rediss:`, `redis+socket:` and `sentinel:`. */
  | { readonly scheme: 'redis'; readonly url: string }

const EMBEDDED = ['sqlite', 'memory']
const AVAILABLE = [...EMBEDDED, ...REDIS_SCHEMES]

/** Celery's own schemes that this version knows of but cannot open. */
const NOT_AVAILABLE = ['amqp', 'amqps', 'rpc', 'cache+memory']

const FORMS = '"sqlite:", "sqlite:path/to/file.db", "sqlite:///absolute/file.db", "memory:" or "redis://host:6379/0"'

/**
 * Reads the URL of a broker or a result backend.
 *
 * `sqlite:` is the default file, `sqlite:jobs.db` a file below the root, `sqlite:///var/jobs.db` an absolute
 * one; `memory:` and `memory://name` live in this process; `redis://host:6379/0` and its relatives are a server.
 * @throws {@link ImproperlyConfigured} when the scheme is unknown or not available in this version.
 */
export function parseStoreUrl(url: string): StoreUrl {
  const problem = storeUrlProblem(url)
  if (problem !== undefined) throw new ImproperlyConfigured([`The URL ${problem}`])
  const { scheme = '', rest } = splitScheme(url)
  if (REDIS_SCHEMES.includes(scheme)) return { scheme: 'redis', url }
  if (scheme === 'memory') return { scheme, name: rest.replace(/^\/\//, '') }
  return { scheme: 'sqlite', path: sqlitePath(rest) }
}

/** What is wrong with the URL of a store, worded to follow its name; undefined when it can be used. */
export function storeUrlProblem(url: string): string | undefined {
  const { scheme, rest } = splitScheme(url)
  const shown = JSON.stringify(maskUrl(url))
  if (scheme === undefined) return `must be a URL such as ${FORMS}, not ${shown}${didYouMean(url)}`
  if (NOT_AVAILABLE.includes(scheme)) return `uses "${scheme}:", which is not available in this version (${shown}). Use ${FORMS}.`
  if (!AVAILABLE.includes(scheme)) return `has the unknown scheme "${scheme}:" (${shown})${didYouMean(scheme)} Use ${FORMS}.`
  if (scheme === 'sqlite') return sqliteProblem(rest, shown)
  return REDIS_SCHEMES.includes(scheme) ? redisProblem(url, shown) : undefined
}

/** The URL with every password, and every secret in its query, replaced by `***`. */
export function maskUrl(url: string): string {
  // Several URLs joined by ";" are one value to Celery (Sentinel hosts, failover).
  return url.split(/;(?=[a-z][a-z0-9+.-]*:\/\/)/i).map(maskOne).join(';')
}

/** True for a URL whose store is a part of this library: nothing else has to run. */
export function isEmbedded(url: string): boolean {
  return EMBEDDED.includes(splitScheme(url).scheme ?? '')
}

function maskOne(url: string): string {
  const isFile = /^(sqlite|memory):(?!\/\/[^/])/i.test(url)
  // Up to the last "@": an unescaped password may itself contain "@", "/" or "?".
  const user = /^[^:]*:\/\//.test(url) ? /^([^:]*:\/\/[^:@/]*):.*@/s : /^([^:@/]*):.*@/s
  const masked = isFile ? url : url.replace(user, '$1:***@')
  return masked.replace(/([?&][^=&#]*(?:pass|pwd|secret|token|key)[^=&#]*=)[^&#]*/gi, '$1***')
}

function splitScheme(url: string): { scheme: string | undefined; rest: string } {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? []
  return { scheme: scheme?.toLowerCase(), rest }
}

/** The end of a sentence about a scheme that nobody knows. */
function didYouMean(scheme: string): string {
  const name = nearest(scheme, [...AVAILABLE, ...NOT_AVAILABLE])
  if (name === undefined) return '.'
  return `; did you mean "${name}:"${NOT_AVAILABLE.includes(name) ? ' (which is not available in this version)' : ''}?`
}

function redisProblem(url: string, shown: string): string | undefined {
  const problem = redisUrlProblem(url)
  return problem && `${problem} (${shown}).`
}

function sqliteProblem(rest: string, shown: string): string | undefined {
  if (rest === ':memory:') return `must be "memory:" for a store in memory, not ${shown}.`
  if (/^\/\/[^/]/.test(rest)) return `names a host where a file is expected (${shown}). Use ${FORMS}.`
  if (rest.includes('?')) return `takes no query (${shown}); the options of the file are in "brokerTransportOptions".`
  return rest.includes('\0') ? `has a zero byte in its path (${shown}).` : undefined
}

function sqlitePath(rest: string): string {
  return rest.replace(/^\/\//, '').replace(/^\/(?=[A-Za-z]:)/, '')
}

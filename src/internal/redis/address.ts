import { ImproperlyConfigured } from '../../errors.ts'
import { readQuery, type RedisQuery } from './query.ts'
import { type RedisTls, TLS_DEFAULTS } from './tls.ts'

/** Where a Redis is, and as whom to speak to it. */
export interface RedisAddress {
  readonly at: RedisHost | RedisSocket | RedisSentinels
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  /** Absent for a connection that is not encrypted. */
  readonly tls: RedisTls | undefined
  /** Tried in turn when this one cannot be reached. */
  readonly alternates: readonly RedisAddress[]
}

/** A server. */
export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** A socket in the file system. */
export interface RedisSocket {
  readonly path: string
}

/** Those who know which server is the master. */
export interface RedisSentinels {
  readonly sentinels: readonly RedisHost[]
  /** The name of the master they watch. */
  readonly masterName: string
  /** Credentials for the sentinels themselves. */
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: RedisTls | undefined
  /** How many other sentinels one must know of to be believed. */
  readonly minOtherSentinels: number
}

/** What the settings add to a URL. What the URL itself says wins. */
export interface RedisUrlOptions {
  readonly tls?: Partial<RedisTls> | undefined
  readonly masterName?: string | undefined
  readonly sentinelUsername?: string | undefined
  readonly sentinelPassword?: string | undefined
  /** Encrypts the connections to the sentinels too, as those to the servers. */
  readonly sentinelTls?: boolean | undefined
  readonly minOtherSentinels?: number | undefined
}

/** What the URLs of Redis begin with, in small letters and without the colon. */
export const REDIS_SCHEMES: readonly string[] = ['redis', 'rediss', 'redis+socket', 'sentinel']

const REDIS_PORT = 6379
const SENTINEL_PORT = 26_379

/** Up to the last "@": an unescaped password may itself contain "@" or "/". */
const FORM = /^([a-z][a-z0-9+]*):\/\/(?:([^?]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?$/is

/**
 * Reads `redis://`, `rediss://`, `redis+socket://` and `sentinel://`, and lists of them joined by ";".
 *
 * Several sentinels are one address; several of the others are tried in turn.
 * @throws {@link ImproperlyConfigured} with a text that does not contain the URL and goes on after a name for it.
 */
export function parseRedisUrl(url: string, options: RedisUrlOptions = {}): RedisAddress {
  const parts = splitRedisUrls(url).map(parseOne)
  const [first] = parts
  if (first === undefined) throw problem('is empty')
  if (parts.some(({ scheme }) => (scheme === 'sentinel') !== (first.scheme === 'sentinel'))) throw problem('mixes "sentinel:" with other schemes')
  if (first.scheme === 'sentinel') return sentinelAddress(parts, options)

  const [address, ...alternates] = parts.map((part) => serverAddress(part, options))
  return { ...(address as RedisAddress), alternates }
}

/** What is wrong with a URL by itself, worded to follow its name; undefined when it can be used. */
export function redisUrlProblem(url: string): string | undefined {
  try {
    parseRedisUrl(url, { masterName: 'any' })
    return undefined
  } catch (error) {
    if (error instanceof ImproperlyConfigured) return error.message
    throw error
  }
}

/** The URLs that are joined by ";". */
function splitRedisUrls(url: string): string[] {
  return url.split(/;(?=[a-z][a-z0-9+.-]*:\/\/)|;$/i).filter((one) => one.trim() !== '')
}

interface UrlParts {
  readonly scheme: string
  readonly user: string | undefined
  readonly host: string
  readonly path: string
  readonly query: RedisQuery
}

function parseOne(url: string): UrlParts {
  const [, scheme, user, host = '', path = '', query = ''] = FORM.exec(url.trim()) ?? []
  // What follows a "?" that was not escaped may be half a password, which no message may show.
  if (scheme === undefined || query.includes('@')) throw problem('must look like "redis://user:password@host:6379/0"; write "?", "#" and "%" in a password as %3F, %23 and %25')
  return { scheme: scheme.toLowerCase(), user, host, path, query: readQuery(query) }
}

function serverAddress(parts: UrlParts, options: RedisUrlOptions): RedisAddress {
  const isSocket = parts.scheme === 'redis+socket'
  const at = isSocket ? { path: decode(`${parts.host}${parts.path}`) } : hostAndPort(parts.host, REDIS_PORT)
  if ('path' in at && !at.path.startsWith('/')) throw problem('must name an absolute path, such as "redis+socket:///run/redis.sock"')
  const vhost = isSocket ? '' : parts.path
  return { at, database: database(parts, vhost), ...credentials(parts.user), tls: isSocket ? undefined : tlsOf(parts, options), alternates: [] }
}

function sentinelAddress(all: readonly UrlParts[], options: RedisUrlOptions): RedisAddress {
  if (!options.masterName) throw problem('needs the name of the master: set "masterName" in the transport options')
  const found = all.map((parts) => ({ parts, credentials: credentials(parts.user), tls: tlsOf(parts, options) }))
  const { parts, tls, credentials: firsts } = found[0] as (typeof found)[number]
  const who = found.find(({ credentials: { password } }) => password !== undefined)?.credentials ?? firsts
  const at = {
    sentinels: all.map(({ host }) => hostAndPort(host, SENTINEL_PORT)),
    masterName: options.masterName,
    username: options.sentinelUsername,
    password: options.sentinelPassword,
    tls: options.sentinelTls ? { ...TLS_DEFAULTS, ...options.tls } : undefined,
    minOtherSentinels: options.minOtherSentinels ?? 0,
  }
  const where = all.find(({ path }) => path.length > 1) ?? parts
  return { at, database: database(where, where.path), ...who, tls, alternates: [] }
}

function hostAndPort(text: string, defaultPort: number): RedisHost {
  const [, host = '', port] = /^(\[[0-9a-f:.%a-z]+\]|[^:;,]*)(?::(\d+))?$/i.exec(text) ?? problemInHost(text)
  const number = port === undefined ? defaultPort : Number(port)
  if (number < 1 || number > 65_535) throw problem(`has the port ${port}; a port is a number from 1 to 65535`)
  return { host: decode(host).replace(/^\[(.*)\]$/, '$1') || 'localhost', port: number }
}

function problemInHost(text: string): never {
  if (/[;,]/.test(text)) throw problem('must repeat the scheme before each host, such as "redis://a:6379;redis://b:6379"')
  throw problem(`has a host or port that cannot be read (${JSON.stringify(text)}); write "host:port", and "[::1]:6379" for IPv6`)
}

/** The number in the path, or in `virtual_host` or `db`. A slash more than needed is Celery's habit. */
function database({ query }: UrlParts, path: string): number {
  const text = query.database ?? decode(path).replace(/^\/+/, '').replace(/\/$/, '')
  if (text === '') return 0
  if (!/^\d{1,9}$/.test(text)) throw problem(`names the database ${JSON.stringify(text)}; databases of Redis are numbers from 0, such as "redis://host:6379/1"`)
  return Number(text)
}

function credentials(user: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (user === undefined) return { username: undefined, password: undefined }
  const colon = user.indexOf(':')
  const name = colon === -1 ? user : user.slice(0, colon)
  return { username: decode(name) || undefined, password: colon === -1 ? undefined : decode(user.slice(colon + 1)) || undefined }
}

function tlsOf({ scheme, query }: UrlParts, { tls }: RedisUrlOptions): RedisTls | undefined {
  const isEncrypted = scheme === 'rediss' || tls !== undefined
  if (!isEncrypted && scheme === 'redis' && Object.keys(query.tls).length > 0) throw problem('has TLS settings, but is not encrypted: write "rediss://"')
  return isEncrypted ? { ...TLS_DEFAULTS, ...tls, ...query.tls } : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw problem('has a "%" that begins no escape; write it as %25')
  }
}

function problem(text: string): ImproperlyConfigured {
  return new ImproperlyConfigured([text])
}

import { ImproperlyConfigured } from '../errors.ts'
import { parseRedisUrl, type RedisAddress, type RedisUrlOptions } from '../internal/redis/address.ts'
import type { RedisTls } from '../internal/redis/tls.ts'
import type { SerializerName } from '../protocol/serializers/open.ts'
import type { Config } from './config.ts'
import type { BackendTransportOptions, RedisTransportOptions, UseSsl } from './redis-kinds.ts'
import { maskUrl } from './url.ts'

/** What drivers on Redis need besides the URL. Times are milliseconds. */
export interface RedisSettings {
  readonly address: RedisAddress
  readonly connection: RedisConnectionSettings
  /** Before every key and channel, as it is. */
  readonly keyPrefix: string
  /** Before the name of a broadcast channel; `{db}` stands for the number of the database. */
  readonly fanoutPrefix: string
  /** Between the name of a queue and a step of priority, and in bindings. */
  readonly sep: string
  readonly prioritySteps: readonly number[]
  readonly queueOrderStrategy: 'round_robin' | 'sorted' | 'priority'
  readonly unackedKey: string
  readonly unackedIndexKey: string
  readonly unackedMutexKey: string
  readonly unackedMutexExpireMs: number
  /** The most foreign messages given back at once; as many as there are when absent. */
  readonly unackedRestoreLimit: number | undefined
  /** Whether the results of a chord are kept in the order of its header. Nobody reads it yet: it is for chords, with `RedisChordStore`. */
  readonly isChordOrdered: boolean
  /** How results are written and read. */
  readonly resultSerializer: SerializerName
}

/** How connections are made and watched: a part of what `RedisConnection` takes. */
export interface RedisConnectionSettings {
  readonly clientName?: string
  readonly connectTimeoutMs?: number
  readonly answerTimeoutMs?: number
  readonly healthCheckMs?: number
  readonly socketKeepAlive?: boolean
  readonly maxRetries?: number
}

/** An answer may take that long at least, whatever Python's client was told: a loaded server is not a dead one. */
const LEAST_ANSWER_MS = 1000

/** What the configuration says of the broker on Redis at `url`. */
export function redisBrokerSettings(conf: Config, url: string): RedisSettings {
  const options = conf.brokerTransportOptions
  const address = addressOf('brokerUrl', url, sentinelOptions(options), conf.brokerUseSsl)
  return {
    ...layoutOf(options),
    address,
    keyPrefix: options.globalKeyprefix ?? '',
    connection: connectionOf(conf, {
      clientName: options.clientName,
      connectTimeout: options.socketConnectTimeout,
      answerTimeout: options.socketTimeout,
      healthCheck: options.healthCheckInterval,
      keepAlive: options.socketKeepalive,
    }),
    isChordOrdered: true,
    resultSerializer: 'json',
  }
}

/** What the configuration says of the result backend on Redis at `url`. */
export function redisBackendSettings(conf: Config, url: string): RedisSettings {
  const options = conf.resultBackendTransportOptions
  const broker = conf.brokerTransportOptions
  // The same URL is the same place: how it is found need not be said twice.
  const isBrokers = url === conf.brokerUrl
  const address = addressOf('resultBackend', url, sentinelOptions(isBrokers ? { ...broker, ...options } : options), conf.redisBackendUseSsl)
  return {
    ...layoutOf({}),
    address,
    keyPrefix: backendKeyPrefix(options.globalKeyprefix),
    connection: connectionOf(conf, {
      clientName: conf.redisClientName,
      connectTimeout: conf.redisSocketConnectTimeout,
      answerTimeout: conf.redisSocketTimeout,
      healthCheck: conf.redisBackendHealthCheckInterval,
      keepAlive: conf.redisSocketKeepalive,
    }),
    isChordOrdered: options.resultChordOrdered ?? true,
    resultSerializer: conf.resultSerializer,
  }
}

/** Kombu's names where nothing else is said. */
function layoutOf(options: RedisTransportOptions): Omit<RedisSettings, 'address' | 'keyPrefix' | 'connection' | 'isChordOrdered' | 'resultSerializer'> {
  const { fanoutPrefix = true } = options
  return {
    fanoutPrefix: typeof fanoutPrefix === 'string' ? fanoutPrefix : fanoutPrefix ? '/{db}.' : '',
    sep: options.sep ?? '\x06\x16',
    prioritySteps: options.prioritySteps ?? [0, 3, 6, 9],
    queueOrderStrategy: options.queueOrderStrategy ?? 'round_robin',
    unackedKey: options.unackedKey ?? 'unacked',
    unackedIndexKey: options.unackedIndexKey ?? 'unacked_index',
    unackedMutexKey: options.unackedMutexKey ?? 'unacked_mutex',
    unackedMutexExpireMs: (options.unackedMutexExpire ?? 300) * 1000,
    unackedRestoreLimit: options.unackedRestoreLimit,
  }
}

function sentinelOptions(options: RedisTransportOptions | BackendTransportOptions): RedisUrlOptions {
  const { masterName, sentinelKwargs, minOtherSentinels } = options
  return {
    masterName,
    sentinelUsername: sentinelKwargs?.username,
    sentinelPassword: sentinelKwargs?.password,
    sentinelTls: sentinelKwargs?.ssl,
    minOtherSentinels,
  }
}

function addressOf(name: string, url: string, options: RedisUrlOptions, ssl: UseSsl | false): RedisAddress {
  try {
    return parseRedisUrl(url, { ...options, tls: ssl === false ? undefined : tlsOf(ssl) })
  } catch (error) {
    if (!(error instanceof ImproperlyConfigured)) throw error
    throw new ImproperlyConfigured([`"${name}" ${error.message} (${JSON.stringify(maskUrl(url))}).`], { cause: error })
  }
}

function tlsOf({ sslCertReqs, sslCaCerts, sslCertfile, sslKeyfile, sslCheckHostname }: UseSsl): Partial<RedisTls> {
  return {
    ...(sslCertReqs !== undefined && { verify: sslCertReqs }),
    ...(sslCheckHostname !== undefined && { checkHostname: sslCheckHostname }),
    caFile: sslCaCerts,
    certFile: sslCertfile,
    keyFile: sslKeyfile,
  }
}

/** Seconds, as they are configured. */
interface Watching {
  readonly clientName: string | undefined
  readonly connectTimeout: number | undefined
  readonly answerTimeout: number | undefined
  readonly healthCheck: number | undefined
  readonly keepAlive: boolean | undefined
}

function connectionOf(conf: Config, { clientName, connectTimeout, answerTimeout, healthCheck, keepAlive }: Watching): RedisConnectionSettings {
  const maxRetries = conf.brokerConnectionRetry ? conf.brokerConnectionMaxRetries : 1
  return {
    ...(clientName !== undefined && { clientName }),
    ...(connectTimeout !== undefined && { connectTimeoutMs: connectTimeout * 1000 }),
    ...(answerTimeout !== undefined && { answerTimeoutMs: Math.max(LEAST_ANSWER_MS, answerTimeout * 1000) }),
    ...(healthCheck !== undefined && { healthCheckMs: healthCheck * 1000 }),
    ...(keepAlive !== undefined && { socketKeepAlive: keepAlive }),
    ...(maxRetries > 0 && { maxRetries }),
  }
}

/** Celery's rule: what does not end like a prefix gets an underscore. */
function backendKeyPrefix(prefix: string = ''): string {
  return prefix === '' || /[:_\-.]$/.test(prefix) ? prefix : `${prefix}_`
}

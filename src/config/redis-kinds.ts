import { choice, flag, integer, type Kind, kind, type Parts, record, refuse, seconds, text } from './kinds.ts'

/** What `brokerTransportOptions` may say of a broker on Redis. What Python's client alone needs is accepted, and has no effect. */
export interface RedisTransportOptions {
  /** In front of every key and channel. Python must have the same. */
  readonly globalKeyprefix?: string
  /** Begins the names of broadcast channels, with `{db}` for the number of the database; false for nothing. */
  readonly fanoutPrefix?: boolean | string
  /** Whether broadcast channels of events end in their routing key. */
  readonly fanoutPatterns?: boolean
  /** Between the name of a queue and a step of priority. */
  readonly sep?: string
  /** The steps of priority that Python's senders use. */
  readonly prioritySteps?: readonly number[]
  /** How a consumer of several queues chooses. */
  readonly queueOrderStrategy?: 'round_robin' | 'sorted' | 'priority'
  readonly unackedKey?: string
  readonly unackedIndexKey?: string
  readonly unackedMutexKey?: string
  /** Seconds. */
  readonly unackedMutexExpire?: number
  /** The most messages of Python's workers that are given back at once. */
  readonly unackedRestoreLimit?: number
  /** Seconds that an answer may take. */
  readonly socketTimeout?: number
  /** Seconds that one attempt to connect may take. */
  readonly socketConnectTimeout?: number
  readonly socketKeepalive?: boolean
  /** Without effect: the system's own times are used. */
  readonly socketKeepaliveOptions?: object
  /** Seconds between two questions whether a silent server is still there; 0 for never. */
  readonly healthCheckInterval?: number
  readonly clientName?: string
  /** The master that the sentinels watch. */
  readonly masterName?: string
  readonly sentinelKwargs?: SentinelOptions
  readonly minOtherSentinels?: number
  /** Without effect: there is one connection for commands and one for subscriptions. */
  readonly maxConnections?: number
  /** Without effect: what may be repeated is repeated. */
  readonly retryOnTimeout?: boolean
  /** Only true: without it a message is lost with the worker that took it. */
  readonly ackEmulation?: boolean
  /** Without effect: `brokerConnectionTimeout` says how long is tried. */
  readonly maxRetries?: number
  /** Without effect, as `maxRetries`. */
  readonly intervalStart?: number
  /** Without effect, as `maxRetries`. */
  readonly intervalStep?: number
  /** Without effect, as `maxRetries`. */
  readonly intervalMax?: number
}

/** How the sentinels themselves are spoken to. */
export interface SentinelOptions {
  readonly username?: string
  readonly password?: string
  /** Encrypts the connections to them, with the same certificates as those to the servers. */
  readonly ssl?: boolean
  /** Without effect: a sentinel has its share of the time to connect. */
  readonly socketTimeout?: number
}

/** What `resultBackendTransportOptions` may say. */
export interface BackendTransportOptions {
  /** In front of every key and channel, with `_` between unless it ends in one of `:_-.`. */
  readonly globalKeyprefix?: string
  readonly masterName?: string
  readonly sentinelKwargs?: SentinelOptions
  readonly minOtherSentinels?: number
  /** How long a call is tried again. */
  readonly retryPolicy?: RetryPolicy
  /** Whether the results of a chord are kept in the order of its header. */
  readonly resultChordOrdered?: boolean
  /** Without effect: it is the broker's. Often set for both. */
  readonly visibilityTimeout?: number
}

/** Celery's policy of trying again, of which only the whole time counts here. */
export interface RetryPolicy {
  /** Seconds. */
  readonly timeout?: number
  /** Without effect. */
  readonly maxRetries?: number
  /** Without effect. */
  readonly intervalStart?: number
  /** Without effect. */
  readonly intervalStep?: number
  /** Without effect. */
  readonly intervalMax?: number
}

/** `brokerUseSsl` and `redisBackendUseSsl`: Celery's names in our spelling. */
export interface UseSsl {
  readonly sslCertReqs?: 'required' | 'optional' | 'none'
  readonly sslCaCerts?: string
  readonly sslCertfile?: string
  readonly sslKeyfile?: string
  readonly sslCheckHostname?: boolean
}

const sentinelParts: Parts<SentinelOptions> = { username: text(), password: text(), ssl: flag(), socketTimeout: seconds('above 0') }
const sentinels: Kind<SentinelOptions> = record<SentinelOptions>(sentinelParts, underscored(sentinelParts))

const yes: Kind<boolean> = kind('true: without it a message is lost with the worker that took it', (value) => (value === true ? true : undefined))

const steps: Kind<readonly number[]> = kind('a list of rising whole numbers from 0 to 9 that begins with 0', (value) => {
  if (!Array.isArray(value) || value[0] !== 0) return undefined
  const rises = value.every((step, index) => Number.isInteger(step) && step <= 9 && (index === 0 || Number(step) > Number(value[index - 1])))
  return rises ? value.map(Number) : undefined
})

const fanoutPrefix: Kind<boolean | string> = kind('true, false or text', (value) => (typeof value === 'boolean' || typeof value === 'string' ? value : undefined))
const anyObject: Kind<object> = kind('an object', (value) => (typeof value === 'object' && value !== null ? value : undefined))

const retryParts: Parts<Omit<RetryPolicy, 'timeout'>> = {
  maxRetries: integer(0),
  intervalStart: seconds('from 0'),
  intervalStep: seconds('from 0'),
  intervalMax: seconds('from 0'),
}

/** The kinds of what `brokerTransportOptions` says of Redis. */
export const redisTransportParts: Parts<RedisTransportOptions> = {
  globalKeyprefix: kind('text', (value) => (typeof value === 'string' ? value : undefined)),
  fanoutPrefix,
  fanoutPatterns: flag(),
  sep: text(),
  prioritySteps: steps,
  queueOrderStrategy: choice(['round_robin', 'sorted', 'priority']),
  unackedKey: text(),
  unackedIndexKey: text(),
  unackedMutexKey: text(),
  unackedMutexExpire: seconds('above 0'),
  unackedRestoreLimit: integer(1),
  socketTimeout: seconds('above 0'),
  socketConnectTimeout: seconds('above 0'),
  socketKeepalive: flag(),
  socketKeepaliveOptions: anyObject,
  healthCheckInterval: seconds('from 0'),
  clientName: clientName(),
  masterName: text(),
  sentinelKwargs: sentinels,
  minOtherSentinels: integer(0),
  maxConnections: integer(1),
  retryOnTimeout: flag(),
  ackEmulation: yes,
  ...retryParts,
}

/** Reads `resultBackendTransportOptions`. */
export const backendTransportOptions: Kind<BackendTransportOptions> = ((): Kind<BackendTransportOptions> => {
  const policyParts: Parts<RetryPolicy> = { timeout: seconds('above 0'), ...retryParts }
  const parts: Parts<BackendTransportOptions> = {
    globalKeyprefix: redisTransportParts.globalKeyprefix,
    masterName: text(),
    sentinelKwargs: sentinels,
    minOtherSentinels: integer(0),
    retryPolicy: record<RetryPolicy>(policyParts, underscored(policyParts)),
    resultChordOrdered: flag(),
    visibilityTimeout: seconds('above 0'),
  }
  return record<BackendTransportOptions>(parts, underscored(parts))
})()

const useSslParts: Parts<UseSsl> = {
  sslCertReqs: choice(['required', 'optional', 'none'], { cert_required: 'required', cert_optional: 'optional', cert_none: 'none' }),
  sslCaCerts: text(),
  sslCertfile: text(),
  sslKeyfile: text(),
  sslCheckHostname: flag(),
}
const givenSsl: Kind<UseSsl> = record<UseSsl>(useSslParts, underscored(useSslParts))

/** Reads `brokerUseSsl` and `redisBackendUseSsl`: true for the defaults, false for a connection that is not encrypted, or an object. */
export const useSsl: Kind<UseSsl | false> = {
  expected: `true, false or ${givenSsl.expected}`,
  fromText: (value) => (/^\s*(true|yes|on|1)\s*$/i.test(value) ? true : /^\s*(false|no|off|0)\s*$/i.test(value) ? false : givenSsl.fromText(value)),
  read(value, where, problems) {
    if (value === true) return {}
    if (value === false) return false
    return typeof value === 'object' && value !== null ? givenSsl.read(value, where, problems) : refuse(value, this.expected, where, problems)
  },
}

/** How often a lost connection is tried again; 0, as null in Python, is for ever. */
export const retries: Kind<number> = kind('a whole number, 0 or null for ever', (value) => {
  if (value === null) return 0
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined
}, (value) => (/^\s*\d+\s*$/.test(value) ? Number(value) : value))

/** What the server calls a connection: it takes no blanks. */
export function clientName(): Kind<string> {
  return kind('text without blanks', (value) => (typeof value === 'string' && /^[!-~]+$/.test(value) ? value : undefined))
}

/** Celery's names, with underscores, of the parts. */
export function underscored<T extends object>(parts: Parts<T>): Readonly<Record<string, keyof T & string>> {
  const names = Object.keys(parts) as (keyof T & string)[]
  return Object.fromEntries(names.map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name]))
}

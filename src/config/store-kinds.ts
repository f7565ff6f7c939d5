import { choice, flag, type Kind, kind, type Parts, record, refuse, seconds } from './kinds.ts'
import { redisTransportParts, type RedisTransportOptions, underscored } from './redis-kinds.ts'
import { storeUrlProblem } from './url.ts'

/** How the broker keeps messages. */
export interface TransportOptions extends RedisTransportOptions {
  /** Seconds after which the tasks of a dead worker are given to others. */
  readonly visibilityTimeout?: number
  /** `full` survives a power cut, `normal` the death of any process. */
  readonly synchronous: 'normal' | 'full'
  /** Opens a database on NFS or SMB, where locks may not hold. */
  readonly allowNetworkFileSystem: boolean
}

/** What `brokerTransportOptions` is when nothing is given. */
export const DEFAULT_TRANSPORT_OPTIONS: TransportOptions = { synchronous: 'normal', allowNetworkFileSystem: false }

const transportParts: Parts<TransportOptions> = {
  visibilityTimeout: seconds('above 0'),
  synchronous: choice(['normal', 'full']),
  allowNetworkFileSystem: flag(),
  ...redisTransportParts,
}
const givenTransportOptions = record<TransportOptions>(transportParts, underscored(transportParts))

/** Reads `brokerTransportOptions`; what is left out has its default. */
export const transportOptions: Kind<TransportOptions> = {
  ...givenTransportOptions,
  read(value, where, problems) {
    const given = givenTransportOptions.read(value, where, problems)
    return given && { ...DEFAULT_TRANSPORT_OPTIONS, ...given }
  },
}

/** The URL of a broker or a result backend; a list of them is one whose parts are tried in turn. */
export const storeUrl: Kind<string> = {
  expected: 'a URL: "sqlite:", "sqlite:path/to/file.db", "sqlite:///absolute/file.db", "memory:" or "redis://host:6379/0"',
  fromText: (value) => value.trim(),
  read(given, where, problems) {
    const value: unknown = Array.isArray(given) && given.length > 0 && given.every((url) => typeof url === 'string') ? given.join(';') : given
    if (typeof value !== 'string') return refuse(value, this.expected, where, problems)
    const problem = storeUrlProblem(value)
    if (problem === undefined) return value
    problems.push(`"${where.name}"${where.place} ${problem}`)
    return undefined
  },
}

/** An IANA time zone that this Node knows. */
export const timeZone: Kind<string> = kind('an IANA time zone such as "UTC" or "Europe/Paris"', (value) => {
  if (typeof value !== 'string') return undefined
  try {
    new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions()
    return value
  } catch {
    return undefined
  }
})

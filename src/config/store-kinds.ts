import { choice, flag, type Kind, kind, record, refuse, seconds } from './kinds.ts'
import { storeUrlProblem } from './url.ts'

/** How the broker keeps messages, with nothing left out. */
export interface TransportOptions {
  /** Seconds after which the tasks of a dead worker are given to others. */
  readonly visibilityTimeout: number
  /** `full` survives a power cut, `normal` the death of any process. */
  readonly synchronous: 'normal' | 'full'
  /** Opens a database on NFS or SMB, where locks may not hold. */
  readonly allowNetworkFileSystem: boolean
}

/** What `brokerTransportOptions` is when nothing is given. */
export const DEFAULT_TRANSPORT_OPTIONS: TransportOptions = { visibilityTimeout: 10, synchronous: 'normal', allowNetworkFileSystem: false }

const givenTransportOptions = record<TransportOptions>(
  { visibilityTimeout: seconds('above 0'), synchronous: choice(['normal', 'full']), allowNetworkFileSystem: flag() },
  { visibility_timeout: 'visibilityTimeout', allow_network_file_system: 'allowNetworkFileSystem' },
)

/** Reads `brokerTransportOptions`; what is left out has its default. */
export const transportOptions: Kind<TransportOptions> = {
  ...givenTransportOptions,
  read(value, where, problems) {
    const given = givenTransportOptions.read(value, where, problems)
    return given && { ...DEFAULT_TRANSPORT_OPTIONS, ...given }
  },
}

/** The URL of a broker or a result backend. */
export const storeUrl: Kind<string> = {
  expected: 'a URL: "sqlite:", "sqlite:path/to/file.db", "sqlite:///absolute/file.db" or "memory:"',
  fromText: (value) => value.trim(),
  read(value, where, problems) {
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

import type { LogLevel } from '../internal/logger.ts'
import { choice, integer, isPlainObject, jsonFromText, type Kind, record, refuse, splitCommas, text, textList, type Where } from './kinds.ts'

/** Names of the pools, as in `workerPool`. */
export type PoolName = 'prefork' | 'async' | 'solo'

/** What one worker does differently from the rest, as kept by the configuration. */
export interface WorkerSettings {
  readonly concurrency?: number
  readonly queues?: readonly string[]
  readonly logLevel?: LogLevel
  readonly pidfile?: string
  readonly pool?: PoolName
}

/** Which workers there are: how many, their names, or their names with what each does differently. */
export type Workers = number | readonly string[] | Readonly<Record<string, WorkerSettings>>

/** A level of the log; "warn" is Python's other word for "warning". */
export const logLevel: Kind<LogLevel> = choice(['debug', 'info', 'warning', 'error', 'critical'], { warn: 'warning' })

/** One of the pools. */
export const poolName: Kind<PoolName> = choice(['prefork', 'async', 'solo'])

const workerSettings = record<WorkerSettings>(
  { concurrency: integer(1), queues: textList({ orText: true }), logLevel, pidfile: text(), pool: poolName },
  { loglevel: 'logLevel' },
)

const EXPECTED = 'a number of workers (at least 1), a list of names, or an object of names and their options'

/** How {@link Workers} are read. */
export const workers: Kind<Workers> = {
  expected: EXPECTED,
  fromText(value) {
    // "TRUE" is a boolean written by hand, not the name of a worker.
    const decoded = jsonFromText(/^\s*(true|false)\s*$/i.test(value) ? value.toLowerCase() : value)
    return typeof decoded === 'string' ? splitCommas(decoded) : decoded
  },
  read(value, where, problems) {
    if (typeof value === 'number') return integer(1).read(value, where, problems)
    const names = Array.isArray(value) ? value : isPlainObject(value) ? Object.keys(value) : []
    if (names.length === 0) return refuse(value, EXPECTED, where, problems)
    for (const name of names) checkName(name, where, problems)
    if (!isPlainObject(value)) return uniqueNames(names, where, problems)
    return Object.fromEntries(Object.entries(value).map(([name, settings]) => [name, readSettings(name, settings, where, problems)]))
  },
}

/**
 * Every worker by name with its options, whichever way they were given.
 *
 * A number gives `worker1`, `worker2` and so on.
 */
export function workerEntries(configured: Workers): [name: string, settings: WorkerSettings][] {
  if (typeof configured === 'number') return Array.from({ length: configured }, (_, index) => [`worker${index + 1}`, {}])
  if (Array.isArray(configured)) return configured.map((name: string) => [name, {}])
  return Object.entries(configured)
}

function readSettings(name: string, settings: unknown, where: Where, problems: string[]): WorkerSettings {
  return workerSettings.read(settings, { ...where, name: `${where.name}.${name}` }, problems) ?? {}
}

// The name becomes part of file names (log, pid file) and of a list separated by commas.
function checkName(name: unknown, where: Where, problems: string[]): void {
  if (typeof name === 'string' && /^[\w.%@-]+$/.test(name)) return
  refuse(name, 'names made of letters, digits, "_", "-", ".", "%" and "@"', where, problems)
}

function uniqueNames(names: readonly string[], where: Where, problems: string[]): readonly string[] | undefined {
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated === undefined) return [...names]
  problems.push(`"${where.name}"${where.place} names the worker "${repeated}" twice.`)
  return undefined
}

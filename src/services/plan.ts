import { hostname } from 'node:os'
import { join, resolve } from 'node:path'

import type { Config } from '../config/config.ts'
import { type PoolName, type WorkerSettings, workerEntries } from '../config/workers.ts'
import { ImproperlyConfigured } from '../errors.ts'
import type { LogLevel } from '../internal/logger.ts'

/** One worker as it is to run. Plain data: it crosses a pipe. */
export interface WorkerPlan {
  /** E.g. `worker1@host`. */
  readonly nodeName: string
  readonly queues: readonly string[]
  readonly concurrency: number
  readonly pool: PoolName
  readonly logLevel: LogLevel
  readonly pidfile: string | undefined
  readonly logFile: string
}

/**
 * What `workers` asks for: a number gives `worker1`, `worker2`, …; names and records their own.
 *
 * A worker without `queues` takes the default queue and every queue that `workers` names, so that it is
 * a worker for any task.
 * @throws {@link ImproperlyConfigured} when two workers have one name.
 */
export function planWorkers(conf: Config, host: string = hostname()): WorkerPlan[] {
  const workers = workerEntries(conf.workers)
  const anyTask = everyQueue(conf, workers)
  const plans = workers.map(([name, settings]): WorkerPlan => {
    const nodeName = nodeNameOf(name, host)
    return {
      nodeName,
      queues: namedQueues(settings) ?? anyTask,
      concurrency: settings.concurrency ?? conf.workerConcurrency,
      pool: settings.pool ?? conf.workerPool,
      logLevel: settings.logLevel ?? conf.logLevel,
      pidfile: settings.pidfile === undefined ? undefined : resolve(expandNodeFormat(settings.pidfile, nodeName)),
      logFile: logFileOf(conf, name),
    }
  })
  refuseTwins(plans)
  return plans
}

/**
 * The command lines that start the same workers by hand, in the words of `celeriac worker`.
 *
 * What is left to its default is left out, except queues that only this configuration's siblings name.
 * `globalWords` go before the sub-command.
 */
export function workerCommands(conf: Config, globalWords: readonly string[] = []): string[] {
  const workers = workerEntries(conf.workers)
  const anyTask = everyQueue(conf, workers)
  return workers.map(([name, settings]) => {
    const queues = namedQueues(settings) ?? (anyTask.length > 1 ? anyTask : undefined)
    const words = ['celeriac', ...globalWords, 'worker', '-n', name.includes('@') ? name : `${name}@%h`]
    if (settings.concurrency !== undefined) words.push(`--concurrency=${settings.concurrency}`)
    if (settings.logLevel !== undefined) words.push(`--loglevel=${settings.logLevel}`)
    if (settings.pidfile !== undefined) words.push(`--pidfile=${settings.pidfile}`)
    if (settings.pool !== undefined) words.push(`--pool=${settings.pool}`)
    if (queues !== undefined) words.push(`--queues=${queues.join(',')}`)
    return words.map(quoted).join(' ')
  })
}

/** `foo` and `foo@%h` become `foo@host`; Celery's `%h`, `%n` and `%d` mean the host, its first label, and the rest. */
export function nodeNameOf(name: string, host: string = hostname()): string {
  const [label = '', ...domain] = host.split('.')
  return replaceCodes(name.includes('@') ? name : `${name}@%h`, { h: host, n: label, d: domain.join('.') })
}

/** Celery's codes in file names: `%n` the name before the `@`, `%h` the host, `%d` its domain, `%p` the whole node name. */
export function expandNodeFormat(text: string, nodeName: string): string {
  const at = nodeName.indexOf('@')
  const host = nodeName.slice(at + 1)
  return replaceCodes(text, { n: nodeName.slice(0, at), h: host, d: host.split('.').slice(1).join('.'), p: nodeName })
}

function replaceCodes(text: string, codes: Readonly<Record<string, string>>): string {
  return text.replace(/%([%\w])/g, (whole, code: string) => (code === '%' ? '%' : (codes[code] ?? whole)))
}

function everyQueue(conf: Config, workers: readonly [string, WorkerSettings][]): string[] {
  return [...new Set([conf.taskDefaultQueue, ...workers.flatMap(([, settings]) => settings.queues ?? [])])]
}

/** An empty list names no queue, and a worker of no queue would be of no use. */
function namedQueues({ queues }: WorkerSettings): readonly string[] | undefined {
  return queues === undefined || queues.length === 0 ? undefined : [...new Set(queues)]
}

function logFileOf(conf: Config, name: string): string {
  return join(conf.logDir, `${name.replaceAll(/[^\w.@-]/g, '-')}.log`)
}

function refuseTwins(plans: readonly WorkerPlan[]): void {
  const names = plans.map(({ nodeName }) => nodeName)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined) throw new ImproperlyConfigured([`"workers" names "${twin}" twice. Give each worker a name of its own.`])
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

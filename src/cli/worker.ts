import { resolve } from 'node:path'
import type { Command } from 'commander'

import { type Config, loadConfig } from '../config/config.ts'
import { integer, text } from '../config/kinds.ts'
import { logLevel, type PoolName, poolName } from '../config/workers.ts'
import { systemClock } from '../internal/clock.ts'
import { createLogger, type LogLevel, type LogSink } from '../internal/logger.ts'
import { ROLE_VARIABLE } from '../internal/child-environment.ts'
import { claimPidfile } from '../services/pidfile.ts'
import { expandNodeFormat, nodeNameOf } from '../services/plan.ts'
import { Worker } from '../worker/worker.ts'
import { readApplicationFacts } from './application-facts.ts'
import { banner } from './banner.ts'
import { findApplication } from './find-application.ts'
import { type GlobalOptions, overridesOf } from './global-options.ts'
import { refusePrivateBroker } from './private-broker.ts'
import { readableLine } from './readable-log.ts'
import { onStopSignals } from './stop-signals.ts'
import { nodeName, queueNames, valueOf } from './values.ts'
import { runWorker } from './worker-run.ts'

interface WorkerOptions extends GlobalOptions {
  readonly hostname: string
  readonly concurrency?: number
  readonly queues?: readonly string[]
  readonly pool?: PoolName
  readonly loglevel?: LogLevel
  readonly logfile?: string
  readonly pidfile?: string
}

/** Adds `celeriac worker`. */
export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('Run a worker in the foreground until SIGINT or SIGTERM; a second one, or SIGQUIT, ends it at once.')
    .option('-n, --hostname <name>', 'node name; %h is the host, %n its first label, %d the rest', valueOf(nodeName), 'celery@%h')
    .option('-c, --concurrency <number>', 'how many tasks run at once (default: workerConcurrency, the number of cores)', valueOf(integer(1)))
    .option('-Q, --queues <names>', 'queues to take from, with commas (default: taskDefaultQueue, "celery")', valueOf(queueNames))
    .option('-P, --pool <name>', 'prefork, async or solo (default: workerPool, "prefork")', valueOf(poolName))
    .option('-l, --loglevel <level>', 'debug, info, warning, error or critical (default: logLevel, "info")', valueOf(logLevel))
    .option('-f, --logfile <path>', "the worker's log; %n is the name before the @, %h the host (default: standard error)", valueOf(text()))
    .option('--pidfile <path>', 'where to write the process id, expanded like the log (default: nowhere)', valueOf(text()))
    .action((_options: unknown, command: Command) => work(command.optsWithGlobals<WorkerOptions>()))
}

async function work(options: WorkerOptions): Promise<void> {
  process.env[ROLE_VARIABLE] = 'worker'
  const name = nodeNameOf(options.hostname)
  const fileOf = (format: string): string => resolve(expandNodeFormat(format, name))
  const handOverSignals = onStopSignals()
  if (options.pidfile !== undefined) process.on('exit', claimPidfile(fileOf(options.pidfile)))

  const overrides = overridesOf(options)
  const facts = await readApplicationFacts({ spec: findApplication(options, process.cwd()), overrides })
  const conf = loadConfig({ inherited: facts.conf })
  conf.freeze()
  refusePrivateBroker(conf)
  handDown(options)

  const level = options.loglevel ?? conf.logLevel
  const inTerminal = options.logfile === undefined && process.stderr.isTTY && process.stdout.isTTY
  const logger = createLogger(level, options.logfile !== undefined ? fileOf(options.logfile) : inTerminal ? READABLE : undefined)
  for (const warning of conf.warnings) logger.warn({}, warning)
  const plan = planOf(options, conf)
  const say = (line: string): void => {
    if (options.quiet !== true) console.log(line)
  }
  say(banner({ nodeName: name, conf, tasks: facts.tasks, ...plan }))
  const worker = new Worker({ name, ...plan, conf, root: conf.root, app: facts.spec, logger, clock: systemClock })
  const saysReady = !(inTerminal && ['debug', 'info'].includes(level))
  await runWorker({ worker, nodeName: name, onStopSignals: handOverSignals, say, saysReady })
}

/** Who looks at a terminal is a person. */
const READABLE: LogSink = { write: (line) => console.error(readableLine(line.trimEnd())) }

function planOf({ concurrency, pool, queues }: WorkerOptions, conf: Config): { concurrency: number; pool: PoolName; queues: readonly string[] } {
  return { concurrency: concurrency ?? conf.workerConcurrency, pool: pool ?? conf.workerPool, queues: queues ?? [conf.taskDefaultQueue] }
}

/** Tasks that submit tasks do so where the command line says, unless their application has decided it. */
function handDown({ broker, resultBackend }: GlobalOptions): void {
  if (broker !== undefined) process.env['CELERY_BROKER_URL'] = broker
  if (resultBackend !== undefined) process.env['CELERY_RESULT_BACKEND'] = resultBackend
}

import type { Command } from 'commander'

import type { App, ServiceInfo } from '../app.ts'
import type { Broker } from '../broker.ts'
import { maskUrl } from '../config/url.ts'
import { systemClock } from '../internal/clock.ts'
import { ROLE_VARIABLE } from '../internal/child-environment.ts'
import { consumingNodes } from '../services/consuming-nodes.ts'
import { planWorkers, type WorkerPlan, workerCommands } from '../services/plan.ts'
import { absoluteSpec } from '../worker/load-application.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { findApplication } from './find-application.ts'
import { type GlobalOptions, overridesOf } from './global-options.ts'
import { loadCelery } from './load-celery.ts'
import { LogFollower } from './log-follower.ts'
import { readableLine } from './readable-log.ts'
import { onStopSignals, type StopRequests } from './stop-signals.ts'

interface ClusterOptions extends GlobalOptions {
  readonly printCommands?: boolean
}

/** Adds `celeriac cluster`. */
export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .alias('up')
    .description('Run the workers that the configuration names, and show their logs, until SIGINT or SIGTERM; a second one, or SIGQUIT, ends them at once.')
    .option('--print-commands', 'print the commands that start the same workers by hand, and run nothing')
    .action((_options: unknown, command: Command) => runCluster(command.optsWithGlobals<ClusterOptions>()))
}

async function runCluster(options: ClusterOptions): Promise<void> {
  // The application may submit while it is loaded, and nothing is to be started before the signals are heard.
  process.env[ROLE_VARIABLE] = 'command'
  const handOverSignals = onStopSignals()
  const spec = findApplication(options, process.cwd())
  const celery = await loadCelery({ spec, overrides: overridesOf(options) })
  try {
    if (options.printCommands === true) return printCommands(celery, options)
    prepare(celery, spec)
    delete process.env[ROLE_VARIABLE]
    await runWorkers(celery, options, handOverSignals)
  } finally {
    await celery.close()
  }
}

/** A URL with a password is not repeated: whoever runs the command has to give it. */
function printCommands({ conf }: App, { app, broker, resultBackend }: GlobalOptions): void {
  const words = [...(app === undefined ? [] : ['-A', app]), ...urlWords('-b', broker), ...urlWords('--result-backend', resultBackend)]
  for (const line of workerCommands(conf, words)) console.log(line)
}

function urlWords(option: string, url: string | undefined): string[] {
  return url === undefined || maskUrl(url) !== url ? [] : [option, url]
}

/** Makes the workers load this very application, and run at all: whoever calls for a cluster wants one. */
function prepare({ conf }: App, spec: string | undefined): void {
  if (conf.taskAlwaysEager) throw new CommandFailure('"taskAlwaysEager" is on: tasks run where they are submitted, and workers would have nothing to do.', EXIT.usage)
  if (!conf.startLocalWorkers) conf.startLocalWorkers = true
  if (spec !== undefined) conf.app = absoluteSpec(spec, process.cwd())
}

async function runWorkers(celery: App, { quiet }: ClusterOptions, onStop: (requests: StopRequests) => void): Promise<void> {
  const { broker } = await celery.open()
  const plans = planWorkers(celery.conf)
  await refuseRunning(broker, plans)

  const stopped = Promise.withResolvers<void>()
  let asked: 'nothing' | 'warm' | 'cold' = 'nothing'
  // Those that have been told to stop are no longer counted among the processes, but may need to be killed.
  let ending: readonly ServiceInfo[] = []
  const end = (how: 'warm' | 'cold'): void => {
    asked = how
    ending = [...ending, ...celery.processes]
    if (how === 'cold') ending.forEach(killGroup)
    celery.stop().then(() => stopped.resolve(), (error: unknown) => stopped.reject(error))
  }
  const isAsked = (how: string): boolean => asked === how
  onStop({ warm: () => end('warm'), cold: () => end('cold') })
  const followers = plans.map(({ nodeName, logFile }) => new LogFollower({ path: logFile, clock: systemClock, onLine: (line) => console.log(`${nodeName} | ${process.stdout.isTTY ? readableLine(line) : line}`) }))
  for (const follower of followers) follower.start()
  try {
    await start(celery, plans, () => !isAsked('nothing'))
    if (isAsked('nothing') && quiet !== true) console.log(`${plans.map(({ nodeName }) => nodeName).join(', ')} ready.`)
    await stopped.promise
    if (isAsked('cold')) throw new CommandFailure('The workers were told to end at once.', EXIT.failure)
  } finally {
    for (const follower of followers) follower.stop()
  }
}

async function start(celery: App, plans: readonly WorkerPlan[], isStopping: () => boolean): Promise<void> {
  try {
    await celery.start()
  } catch (error) {
    // A start that was interrupted is no failure.
    if (!isStopping()) throw error
  }
  // Another cluster that was started at the same moment may have been faster.
  if (!isStopping() && celery.processes.length === 0) throw alreadyRunning(plans.map(({ nodeName }) => nodeName))
}

async function refuseRunning(broker: Broker, plans: readonly WorkerPlan[]): Promise<void> {
  const consuming = await consumingNodes(broker)
  const running = plans.map(({ nodeName }) => nodeName).filter((name) => consuming.has(name))
  if (running.length > 0) throw alreadyRunning(running)
}

function alreadyRunning(nodes: readonly string[]): CommandFailure {
  return new CommandFailure(`workers already running: ${nodes.join(', ')}`, EXIT.failure)
}

/** A worker that local services started leads a group of its own, which holds its pool's processes. */
function killGroup({ pid }: ServiceInfo): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

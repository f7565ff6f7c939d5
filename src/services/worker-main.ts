/** The main module of a worker process that local services started. */
import { loadConfig } from '../config/config.ts'
import { systemClock } from '../internal/clock.ts'
import { createLogger } from '../internal/logger.ts'
import { watchParentFromThread } from '../internal/parent-watch.ts'
import { Worker } from '../worker/worker.ts'
import { parseOrder, type StartMessage, type WorkerReport } from './messages.ts'
import { killOwnGroup } from './orphan.ts'
import { claimPidfile } from './pidfile.ts'

/** What running tasks get when the web process has ended, however it ended. */
const ORPHAN_GRACE_MS = 500
/** An orphan is gone after this, whatever its tasks do. */
const ORPHAN_DEADLINE_MS = 2_000

let worker: Worker | undefined
let isStopping = false

async function begin({ plan, conf: inherited, root, app }: StartMessage): Promise<void> {
  const logger = createLogger(plan.logLevel)
  try {
    if (plan.pidfile !== undefined) process.on('exit', claimPidfile(plan.pidfile))
    if (plan.pool === 'solo') watchParentFromThread(ORPHAN_DEADLINE_MS)
    const conf = loadConfig({ inherited })
    conf.freeze()
    const { nodeName: name, queues, concurrency, pool } = plan
    worker = new Worker({ name, queues, concurrency, pool, conf, root, app, logger, clock: systemClock })
    void worker.stopped.then(() => process.exit(0))
    await worker.start()
    if (!isStopping) report({ kind: 'ready' })
  } catch (error) {
    if (isStopping) return
    logger.error({ err: error }, `Worker "${plan.nodeName}" could not start`)
    report({ kind: 'failed', detail: error instanceof Error ? error.message : String(error) }, () => process.exit(1))
  }
}

function report(message: WorkerReport, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, then)
  else then()
}

function stop(graceMs?: number): void {
  isStopping = true
  if (worker === undefined) process.exit(0)
  worker.stop(graceMs === undefined ? {} : { graceMs }).catch((error: unknown) => {
    process.stderr.write(`The worker did not stop cleanly: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  })
}

function onOrder(message: unknown): void {
  const order = parseOrder(message)
  if (order?.kind === 'start') void begin(order)
  else if (order?.kind === 'stop') stop(order.graceMs)
}

function onOrphaned(): void {
  systemClock.after(ORPHAN_DEADLINE_MS, killOwnGroup, { keepAlive: true })
  stop(ORPHAN_GRACE_MS)
}

// The web process decides what a terminal's Ctrl-C means.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => (isStopping ? killOwnGroup() : stop()))
process.on('SIGQUIT', killOwnGroup)
process.on('message', onOrder)
process.on('disconnect', onOrphaned)
// The web process may have ended while this one was loading.
if (!process.connected) process.exit(0)

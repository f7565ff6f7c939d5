import { systemClock } from '../internal/clock.ts'
import type { Worker } from '../worker/worker.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { StopRequests } from './stop-signals.ts'

/** What {@link runWorker} needs. */
export interface WorkerRunOptions {
  readonly worker: Worker
  readonly nodeName: string
  /** Takes over the signals that stop the worker. */
  readonly onStopSignals: (requests: StopRequests) => void
  /** Prints a line for people. */
  readonly say: (line: string) => void
  /** Whether to say when the worker is ready: false where its log says so in the same place. */
  readonly saysReady: boolean
}

/** What closing the stores may take when everything is to end at once. */
const COLD_DEADLINE_MS = 2_000
const LONG_MS = 2 ** 30

/**
 * Starts a worker; resolves when a signal has stopped it and its tasks had the time that they are due.
 * @throws {@link CommandFailure} when it could not start, or was ended at once.
 */
export async function runWorker({ worker, nodeName, onStopSignals, say, saysReady }: WorkerRunOptions): Promise<void> {
  let asked: 'nothing' | 'warm' | 'cold' = 'nothing'
  onStopSignals({
    warm() {
      asked = 'warm'
      say(`${nodeName}: warm shutdown, running tasks may finish; the same signal again ends them at once`)
      stop(worker)
    },
    cold() {
      asked = 'cold'
      stop(worker, 0)
      systemClock.after(COLD_DEADLINE_MS, () => process.exit(EXIT.failure), { keepAlive: true })
    },
  })
  const isAsked = (how: string): boolean => asked === how
  // Whatever ends this process, tasks in busy loops must not outlive it: they would not see that it has gone.
  process.on('exit', () => worker.pids().forEach(killIfThere))
  // The pool `solo` has no child process whose pipe would keep this one alive.
  const alive = setInterval(() => {}, LONG_MS)
  try {
    await start(worker, () => !isAsked('nothing'))
    if (saysReady && isAsked('nothing')) say(`${nodeName} ready.`)
    await worker.stopped
  } finally {
    clearInterval(alive)
  }
  if (isAsked('cold')) throw new CommandFailure(`${nodeName} was told to end at once; what it had not finished was given back.`, EXIT.failure)
}

/** A start that fails because the worker was stopped meanwhile is no failure. */
async function start(worker: Worker, isStopping: () => boolean): Promise<void> {
  try {
    await worker.start()
  } catch (error) {
    if (isStopping()) return
    await worker.stop({ graceMs: 0 })
    throw error
  }
}

function stop(worker: Worker, graceMs?: number): void {
  worker.stop(graceMs === undefined ? {} : { graceMs }).catch((error: unknown) => {
    console.error(`The worker did not stop cleanly: ${error instanceof Error ? error.stack : String(error)}`)
    process.exit(EXIT.failure)
  })
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

import { TaskRevokedError, ClosedError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import { Stopper } from '../internal/stopper.ts'
import { type Execution, NOT_BEGUN, type Outcome, type Pool } from '../pool.ts'

/** Runs one execution in this process. */
export type ExecuteHere = (execution: Execution, stopper: Stopper) => Promise<Outcome>

interface Running {
  readonly stopper: Stopper
  readonly settle: (outcome: Outcome) => void
}

/**
 * Runs one task at a time inside the worker itself: for debugging, and where processes cannot be made.
 *
 * A task that blocks also stops the worker from answering, and nothing can end it by force.
 */
export class SoloPool implements Pool {
  readonly size = 1
  readonly ahead = 0
  readonly isolated = false
  readonly #execute: ExecuteHere
  readonly #clock: Clock
  readonly #running = new Map<string, Running>()
  readonly #onIdle: (() => void)[] = []
  #stopping = false

  constructor(execute: ExecuteHere, clock: Clock) {
    this.#execute = execute
    this.#clock = clock
  }

  async start(): Promise<void> {}

  run(execution: Execution): Promise<Outcome> {
    if (this.#stopping) return Promise.resolve(NOT_BEGUN)
    return new Promise((resolve) => {
      const stopper = new Stopper()
      const settle = (outcome: Outcome): void => {
        if (this.#running.get(execution.id)?.stopper === stopper && this.#running.delete(execution.id)) resolve(outcome)
        if (this.#running.size === 0) for (const idle of this.#onIdle.splice(0)) idle()
      }
      this.#running.set(execution.id, { stopper, settle })
      void this.#execute(execution, stopper).then(settle)
    })
  }

  terminate(id: string): boolean {
    const task = this.#running.get(id)
    if (task === undefined) return false
    task.stopper.stop(new TaskRevokedError('terminated'))
    task.settle({ kind: 'terminated' })
    return true
  }

  /** Nothing waits here. */
  withdraw(): boolean {
    return false
  }

  /** Nothing waits behind it. */
  ranLong(): void {}

  pidOf(id: string): number | undefined {
    return this.#running.has(id) ? process.pid : undefined
  }

  pids(): readonly number[] {
    return []
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(graceMs, resolve, { keepAlive: true })
        this.#onIdle.push(() => {
          timer.cancel()
          resolve()
        })
      })
    }
    for (const { stopper, settle } of [...this.#running.values()]) {
      stopper.stop(new ClosedError('The worker is stopping; the task will be run again.'))
      settle({ kind: 'lost', detail: 'The worker stopped while it ran the task', bystander: true })
    }
  }
}

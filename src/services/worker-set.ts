import type { ServiceInfo } from '../app.ts'
import { Backoff } from '../internal/backoff.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerExit, WorkerProcess } from './worker-process.ts'

/** What a {@link WorkerSet} is made from. */
export interface WorkerSetOptions {
  /** Makes the process of a worker, not yet started. */
  readonly spawn: (plan: WorkerPlan) => WorkerProcess
  readonly clock: Clock
  readonly logger: Logger
  /** A worker of the set is consuming. */
  readonly onReady: () => void
  /** A worker ended before it was ever consuming; called once, until one was. It is tried again all the same. */
  readonly onStartFailure: (plan: WorkerPlan, exit: WorkerExit) => void
}

interface Slot {
  readonly plan: WorkerPlan
  readonly backoff: Backoff
  process: WorkerProcess
  respawn: Timer | undefined
  /** When the present process became ready, in milliseconds since 1970. */
  readyAtMs: number | undefined
  /** Its end was said; what follows is not news until it has run steadily again. */
  troubled: boolean
}

/** A worker that ran this long was well: its next end is a new event. */
const STEADY_MS = 30_000
const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 5_000

/** The workers that this process runs: each that ends unasked is started again, at ever longer intervals. */
export class WorkerSet {
  readonly #options: WorkerSetOptions
  readonly #slots = new Map<string, Slot>()

  constructor(options: WorkerSetOptions) {
    this.#options = options
  }

  /** Starts a worker and keeps it running. Does nothing when the set has it. */
  start(plan: WorkerPlan): void {
    if (this.#slots.has(plan.nodeName)) return
    const process = this.#options.spawn(plan)
    const backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS)
    const slot: Slot = { plan, backoff, process, respawn: undefined, readyAtMs: undefined, troubled: false }
    this.#slots.set(plan.nodeName, slot)
    this.#launch(slot)
  }

  has(nodeName: string): boolean {
    return this.#slots.has(nodeName)
  }

  isReady(nodeName: string): boolean {
    return this.#slots.get(nodeName)?.readyAtMs !== undefined
  }

  /** The living processes. */
  processes(): ServiceInfo[] {
    return [...this.#slots.values()].flatMap(({ plan, process }) =>
      process.pid === undefined ? [] : [{ name: plan.nodeName, pid: process.pid, kind: 'worker' }],
    )
  }

  /** What the worker has written to its log since it was started. */
  log(nodeName: string): string {
    return this.#slots.get(nodeName)?.process.log() ?? ''
  }

  /** Ends every worker: by force those that need more than `graceMs`. The set can then be filled again. */
  async stop(graceMs: number): Promise<void> {
    const slots = [...this.#slots.values()]
    this.#slots.clear()
    for (const slot of slots) slot.respawn?.cancel()
    await Promise.all(slots.map(({ process }) => process.stop(graceMs)))
  }

  #launch(slot: Slot): void {
    const { process } = slot
    void process.ready().then(() => this.#onReady(slot))
    void process.exited().then((exit) => this.#onExit(slot, exit))
    process.start()
  }

  #onReady(slot: Slot): void {
    slot.readyAtMs = this.#options.clock.now()
    if (slot.troubled) this.#options.logger.info({ worker: slot.plan.nodeName }, `Worker "${slot.plan.nodeName}" runs again`)
    this.#options.onReady()
  }

  #onExit(slot: Slot, exit: WorkerExit): void {
    if (this.#slots.get(slot.plan.nodeName) !== slot) return
    const { readyAtMs } = slot
    slot.readyAtMs = undefined
    if (readyAtMs !== undefined && this.#options.clock.now() - readyAtMs >= STEADY_MS) {
      slot.backoff.reset()
      slot.troubled = false
    }
    if (!slot.troubled) this.#tell(slot, exit, readyAtMs !== undefined)
    slot.troubled = true
    // The one who was told may have ended the set.
    if (this.#slots.get(slot.plan.nodeName) === slot) this.#respawnLater(slot)
  }

  #tell(slot: Slot, exit: WorkerExit, wasReady: boolean): void {
    if (!wasReady) return this.#options.onStartFailure(slot.plan, exit)
    const { nodeName, logFile } = slot.plan
    this.#options.logger.warn({ worker: nodeName }, `Worker "${nodeName}" ${exit.detail}; starting it again. Its log is ${logFile}`)
  }

  #respawnLater(slot: Slot): void {
    slot.respawn = this.#options.clock.after(slot.backoff.next(), () => {
      slot.process = this.#options.spawn(slot.plan)
      this.#launch(slot)
    })
  }
}

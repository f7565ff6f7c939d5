import type { ServiceInfo } from '../app.ts'
import type { Broker } from '../broker.ts'
import { ClosedError } from '../errors.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import { consumingNodes } from './consuming-nodes.ts'
import { Leadership } from './leadership.ts'
import type { WorkerPlan } from './plan.ts'
import { type Obstacle, startFailed, startTimedOut } from './start-errors.ts'
import type { WorkerExit, WorkerProcess } from './worker-process.ts'
import { WorkerSet } from './worker-set.ts'

/** What a {@link WorkerCluster} is made from. */
export interface WorkerClusterOptions {
  readonly plans: readonly WorkerPlan[]
  readonly broker: Broker
  /** The process that has this lease runs the workers. */
  readonly lease: string
  readonly owner: string
  readonly spawn: (plan: WorkerPlan) => WorkerProcess
  /** A worker ended before it was ready; `undefined` once every worker consumes. */
  readonly onFault: (fault: Error | undefined) => void
  /** What running tasks get when the workers must make way for another process's. */
  readonly handOverGraceMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/** How often to look for workers of other processes: while somebody waits, and otherwise. */
const LOOK_WHILE_AWAITED_MS = 100
const LOOK_MS = 1_000

/**
 * The configured workers, each running once, whichever of the processes that want them runs them.
 *
 * The process with the lease starts those that do not consume yet. When it ends its workers end with it,
 * and the next process to get the lease starts new ones as soon as the old ones are gone.
 */
export class WorkerCluster {
  readonly #options: WorkerClusterOptions
  readonly #leadership: Leadership
  readonly #set: WorkerSet
  readonly #waiters = new Set<PromiseWithResolvers<void>>()
  #consuming: ReadonlyMap<string, ReadonlySet<string>> = new Map()
  #fault: Error | undefined
  #timer: Timer | undefined
  #isLooking = false
  #stopped = false

  constructor(options: WorkerClusterOptions) {
    this.#options = options
    const { broker, lease, owner, clock, logger, spawn } = options
    this.#leadership = new Leadership({ broker, lease, owner, clock, onGained: () => void this.#look(), onLost: () => void this.#makeWay() })
    this.#set = new WorkerSet({
      spawn,
      clock,
      logger,
      onReady: () => this.#settleWaiters(),
      onStartFailure: (plan, exit) => this.#onStartFailure(plan, exit),
    })
  }

  get processes(): readonly ServiceInfo[] {
    return this.#set.processes()
  }

  start(): void {
    this.#leadership.start()
  }

  /**
   * Resolves when every worker consumes, here or elsewhere.
   *
   * `keepAlive` keeps the process alive while it waits.
   * @throws {@link StartTimeoutError} after `timeoutMs`, or when a worker ended before it was ready.
   */
  async ready(timeoutMs: number, options?: { keepAlive?: boolean }): Promise<void> {
    const waiter = Promise.withResolvers<void>()
    const expire = () => waiter.reject(startTimedOut(timeoutMs, this.#obstacle()))
    const timer = this.#options.clock.after(timeoutMs, expire, { keepAlive: options?.keepAlive === true })
    this.#waiters.add(waiter)
    void this.#look()
    try {
      await waiter.promise
    } finally {
      timer.cancel()
      this.#waiters.delete(waiter)
    }
  }

  /** Ends the workers that this process runs, giving their tasks `graceMs`, and lets other processes take over. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    for (const waiter of this.#waiters) waiter.reject(new ClosedError('The local services were stopped before they were ready.'))
    await this.#set.stop(graceMs)
    // Last, so that nobody starts a second set beside one that is still ending.
    await this.#leadership.stop()
  }

  /** Sees which workers consume, starts what is missing if that is this process's part, and looks again if need be. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#stopped) return
    this.#isLooking = true
    this.#timer?.cancel()
    const isSeen = await this.#readConsumers()
    this.#isLooking = false
    if (this.#stopped) return
    if (isSeen && this.#leadership.isHeld) this.#startMissing()
    this.#settleWaiters()
    this.#lookAgainLater()
  }

  async #readConsumers(): Promise<boolean> {
    try {
      this.#consuming = await consumingNodes(this.#options.broker)
      this.#fault = undefined
      return true
    } catch (error) {
      this.#fault = error as Error
      return false
    }
  }

  #startMissing(): void {
    for (const plan of this.#options.plans) if (!this.#isConsuming(plan)) this.#set.start(plan)
  }

  /** Its own workers report by themselves; only those of others must be looked for. */
  #lookAgainLater(): void {
    if (this.#options.plans.every(({ nodeName }) => this.#set.has(nodeName))) return
    const isAwaited = this.#waiters.size > 0
    if (!isAwaited && !this.#leadership.isHeld) return
    this.#timer = this.#options.clock.after(isAwaited ? LOOK_WHILE_AWAITED_MS : LOOK_MS, () => void this.#look())
  }

  #pending(): WorkerPlan[] {
    return this.#options.plans.filter((plan) => !(this.#set.has(plan.nodeName) ? this.#set.isReady(plan.nodeName) : this.#isConsuming(plan)))
  }

  /** Another application of this machine may have a worker of that name, for queues of its own. */
  #isConsuming({ nodeName, queues }: WorkerPlan): boolean {
    const consumed = this.#consuming.get(nodeName)
    return consumed !== undefined && queues.every((queue) => consumed.has(queue))
  }

  #settleWaiters(): void {
    if (this.#pending().length > 0) return
    this.#options.onFault(undefined)
    for (const waiter of this.#waiters) waiter.resolve()
  }

  #onStartFailure(plan: WorkerPlan, exit: WorkerExit): void {
    const error = startFailed(plan, exit)
    this.#options.onFault(error)
    if (this.#waiters.size === 0) this.#options.logger.warn({ worker: plan.nodeName }, error.message)
    for (const waiter of this.#waiters) waiter.reject(error)
  }

  #obstacle(): Obstacle {
    const pending = this.#pending()
    const [first] = pending
    return {
      pending,
      fault: this.#leadership.fault ?? this.#fault,
      others: this.#leadership.isHeld ? undefined : [...this.#consuming.keys()],
      log: first === undefined ? '' : this.#set.log(first.nodeName),
    }
  }

  async #makeWay(): Promise<void> {
    if (this.#set.processes().length === 0) return
    const { fault } = this.#leadership
    const why = fault === undefined ? 'Another process took over the local workers' : `The lease of the local workers could not be renewed in time, another process may take over (${fault.message})`
    this.#options.logger.warn({}, `${why}; ending those of this process`)
    await this.#set.stop(this.#options.handOverGraceMs)
  }
}

import { Backoff } from '../internal/backoff.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import { type Execution, NOT_BEGUN, type Outcome, type Pool, type PoolListener, type RunOptions } from '../pool.ts'
import type { ChildInit } from './pipe.ts'
import { PoolChild } from './pool-child.ts'

/** What a {@link ProcessPool} is made of. */
export interface ProcessPoolOptions {
  /** How many processes. */
  readonly children: number
  /** How many tasks each runs at once. */
  readonly slots: number
  /** How many more may wait in each, while its tasks are quick. */
  readonly ahead: number
  /** Path of the module that a process runs. */
  readonly entry: string
  readonly init: ChildInit
  /** Options of node. */
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly listener: PoolListener
}

interface Waiting {
  readonly execution: Execution
  readonly atOnce: boolean
  readonly settle: (outcome: Outcome | Promise<Outcome>) => void
}

/** What tasks get to heed their abort signal when the pool stops, before their process is killed. */
const ABORT_GRACE_MS = 300

/**
 * Runs tasks in child processes, replacing each that is lost.
 *
 * `prefork` is N processes of one task each, `async` one process of N tasks on its event loop.
 */
export class ProcessPool implements Pool {
  readonly size: number
  readonly isolated = true
  readonly #options: ProcessPoolOptions
  readonly #children = new Set<PoolChild>()
  readonly #waiting: Waiting[] = []
  readonly #backoff = new Backoff(100, 10_000)
  #respawn: Timer | undefined
  #onIdle: (() => void) | undefined
  #stopping = false

  constructor(options: ProcessPoolOptions) {
    this.#options = options
    this.size = options.children * options.slots
  }

  get ahead(): number {
    let ahead = 0
    for (const child of this.#children) ahead += this.#aheadIn(child)
    return ahead
  }

  async start(): Promise<void> {
    const children = Array.from({ length: this.#options.children }, () => this.#spawn())
    try {
      await Promise.all(children.map((child) => child.ready()))
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  run(execution: Execution, { atOnce = false }: RunOptions = {}): Promise<Outcome> {
    if (this.#stopping) return Promise.resolve(NOT_BEGUN)
    const child = this.#waiting.length === 0 ? this.#freeChild(atOnce) : undefined
    if (child !== undefined) return this.#runIn(child, execution)
    return new Promise((settle) => {
      this.#waiting.push({ execution, atOnce, settle })
      this.#dispatch()
    })
  }

  terminate(id: string, graceMs: number): boolean {
    if (this.#withdrawHere(id)) return true
    for (const child of this.#children) if (child.terminate(id, graceMs)) return true
    return false
  }

  withdraw(id: string): boolean {
    if (this.#withdrawHere(id)) return true
    for (const child of this.#children) if (child.withdraw(id)) return true
    return false
  }

  ranLong(id: string): void {
    // Where a process has several slots, another one may be free at any moment.
    if (this.#options.slots > 1) return
    for (const child of this.#children) if (child.runs(id)) child.giveBackWaiting()
  }

  pidOf(id: string): number | undefined {
    for (const child of this.#children) if (child.runs(id)) return child.pid
    return undefined
  }

  pids(): readonly number[] {
    return [...this.#children].flatMap((child) => child.pid ?? [])
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#respawn?.cancel()
    for (const { settle } of this.#waiting.splice(0)) settle(NOT_BEGUN)
    for (const child of this.#children) child.withdrawAll()
    await this.#idleWithin(graceMs)
    for (const child of this.#children) child.abortAll()
    await this.#idleWithin(Math.min(graceMs, ABORT_GRACE_MS))
    const exits = [...this.#children].map((child) => child.exited())
    for (const child of this.#children) child.kill()
    await Promise.all(exits)
  }

  /** Takes back one that waits for a process. */
  #withdrawHere(id: string): boolean {
    const index = this.#waiting.findIndex(({ execution }) => execution.id === id)
    if (index < 0) return false
    for (const { settle } of this.#waiting.splice(index, 1)) settle({ kind: 'terminated' })
    return true
  }

  /** Gives waiting tasks to free slots. Without a free slot they wait for one, or for a lost process's successor. */
  #dispatch(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const child = this.#freeChild(next.atOnce)
      if (child === undefined) return
      this.#waiting.shift()
      next.settle(this.#runIn(child, next.execution))
    }
  }

  async #runIn(child: PoolChild, execution: Execution): Promise<Outcome> {
    const outcome = await child.run(execution)
    this.#dispatch()
    if (this.#onIdle !== undefined && !this.#isBusy()) this.#onIdle()
    return outcome
  }

  /** The least busy one that has room: a free slot, if it is to begin at once. */
  #freeChild(atOnce: boolean): PoolChild | undefined {
    let free: PoolChild | undefined
    for (const child of this.#children) {
      if (child.isReady && child.busy < this.#options.slots + (atOnce ? 0 : this.#aheadIn(child)) && (free === undefined || child.busy < free.busy)) free = child
    }
    return free
  }

  #aheadIn(child: PoolChild): number {
    return child.isReady && child.isQuick ? this.#options.ahead : 0
  }

  #isBusy(): boolean {
    for (const child of this.#children) if (child.busy > 0) return true
    return false
  }

  /** Resolves when no task runs, at the latest after `ms`. */
  #idleWithin(ms: number): Promise<void> {
    if (ms <= 0 || !this.#isBusy()) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve, { keepAlive: true })
      this.#onIdle = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #spawn(): PoolChild {
    const child: PoolChild = new PoolChild({
      entry: this.#options.entry,
      init: this.#options.init,
      slots: this.#options.slots,
      execArgv: this.#options.execArgv,
      env: this.#options.env,
      clock: this.#options.clock,
      onState: (id, state, text) => this.#options.listener.onState(id, state, text),
      onExit: (detail) => this.#replace(child, detail),
    })
    this.#children.add(child)
    this.#options.listener.onProcesses()
    child.ready().then(() => this.#onReady(), () => {})
    return child
  }

  #onReady(): void {
    this.#backoff.reset()
    this.#dispatch()
  }

  /** A slot is never given up for good: every process that ends gets a successor, at once if it had been ready. */
  #replace(child: PoolChild, detail: string): void {
    this.#children.delete(child)
    this.#options.listener.onProcesses()
    if (this.#stopping) return
    this.#options.listener.onWarning(`${child.pid === undefined ? 'A pool process' : `Pool process ${child.pid}`} ${detail}; starting another`)
    if (child.wasReady) this.#spawn()
    else this.#respawn = this.#options.clock.after(this.#backoff.next(), () => this.#refill())
  }

  #refill(): void {
    while (!this.#stopping && this.#children.size < this.#options.children) this.#spawn()
  }
}

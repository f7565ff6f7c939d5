import type { Execution, Outcome, Pool, RunOptions } from '../pool.ts'

/**
 * A pool whose processes run several tasks at once, and beside it one for those that must run alone.
 *
 * When such a process dies, all that it ran is lost and nobody knows by whose fault. So one that may be lost only
 * once more runs with nothing beside it: then it is known. The second pool starts when it is first needed; what waits
 * in it takes no less room in the worker than what runs.
 */
export class CarefulPool implements Pool {
  readonly size: number
  readonly isolated: boolean
  readonly #main: Pool
  readonly #openSecond: () => Pool
  readonly #onWarning: (message: string) => void
  #second: Pool | undefined
  #cannotStart = false
  #stopping = false

  /** `openSecond` makes a pool that runs one task in each of its processes; it need not be started. */
  constructor(main: Pool, openSecond: () => Pool, onWarning: (message: string) => void) {
    this.size = main.size
    this.isolated = main.isolated
    this.#main = main
    this.#openSecond = openSecond
    this.#onWarning = onWarning
  }

  get ahead(): number {
    return this.#main.ahead
  }

  start(): Promise<void> {
    return this.#main.start()
  }

  run(execution: Execution, options: RunOptions = {}): Promise<Outcome> {
    const isAlone = options.alone === true && !this.#stopping && !this.#cannotStart
    return (isAlone ? this.#startSecond() : this.#main).run(execution, options)
  }

  terminate(id: string, graceMs: number): boolean {
    return this.#pools().some((pool) => pool.terminate(id, graceMs))
  }

  withdraw(id: string): boolean {
    return this.#pools().some((pool) => pool.withdraw(id))
  }

  ranLong(id: string): void {
    this.#main.ranLong(id)
  }

  pidOf(id: string): number | undefined {
    return this.#main.pidOf(id) ?? this.#second?.pidOf(id)
  }

  pids(): readonly number[] {
    return this.#pools().flatMap((pool) => pool.pids())
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#pools().map((pool) => pool.stop(graceMs)))
  }

  #pools(): Pool[] {
    return this.#second === undefined ? [this.#main] : [this.#main, this.#second]
  }

  /** If it cannot be started, it gives back what waits in it, and then there is only the main one to run it. */
  #startSecond(): Pool {
    if (this.#second !== undefined) return this.#second
    const second = this.#openSecond()
    this.#second = second
    second.start().catch((error: unknown) => {
      this.#cannotStart = true
      if (!this.#stopping) this.#onWarning(`A task that should run alone cannot, no second process starts: ${String(error)}`)
    })
    return second
  }
}

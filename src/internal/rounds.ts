import type { Clock, Timer } from './clock.ts'
import type { Service } from './service.ts'

const INTERVAL_MS = 1000

/** Does something at once, then again a second after each time it ended. A round sees to its own errors. */
export class Rounds implements Service {
  readonly #clock: Clock
  readonly #make: () => Promise<void>
  #round: Promise<void> | undefined
  #timer: Timer | undefined
  #isStopped = false

  constructor(clock: Clock, make: () => Promise<void>) {
    this.#clock = clock
    this.#make = make
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Resolves after the first round. */
  async start(): Promise<void> {
    if (this.#isStopped) return
    this.#round = this.#make()
    await this.#round
    if (!this.#isStopped) this.#timer = this.#clock.after(INTERVAL_MS, () => void this.start())
  }

  /** Resolves after the round under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#round
  }
}

import type { Broker } from '../broker.ts'
import type { Clock, Timer } from '../internal/clock.ts'

/** What a {@link Leadership} is made from. */
export interface LeadershipOptions {
  readonly broker: Broker
  /** What is led; one process at a time has it. */
  readonly lease: string
  /** Tells this process from all others. */
  readonly owner: string
  readonly clock: Clock
  readonly onGained: () => void
  readonly onLost: () => void
}

/**
 * Long, because a process that computes for seconds cannot renew it, and would otherwise lose workers that
 * are well. It costs nothing when the owner dies: the broker then ends the lease at once.
 */
const LEASE_MS = 30_000
const RENEW_MS = LEASE_MS / 3
const RETRY_MS = 1_000

/** Takes a lease as soon as nobody else has it, and keeps it. Its timers do not keep the process alive. */
export class Leadership {
  readonly #options: LeadershipOptions
  #isHeld = false
  #heldUntilMs = 0
  #fault: Error | undefined
  #timer: Timer | undefined
  #attempt: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: LeadershipOptions) {
    this.#options = options
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Why the last attempt could not even ask. */
  get fault(): Error | undefined {
    return this.#fault
  }

  start(): void {
    this.#attempt = this.#tryOnce()
  }

  /** Stops trying and gives the lease back. `onLost` is not called. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#attempt
    if (!this.#isHeld) return
    this.#isHeld = false
    // An unreachable store ends the lease by itself in time.
    await this.#options.broker.releaseLease(this.#options.lease, this.#options.owner).catch(() => {})
  }

  async #tryOnce(): Promise<void> {
    const isHeld = await this.#ask()
    const changed = isHeld !== this.#isHeld
    this.#isHeld = isHeld
    if (this.#stopped) return
    this.#timer = this.#options.clock.after(isHeld && this.#fault === undefined ? RENEW_MS : RETRY_MS, () => this.start())
    if (!changed) return
    if (isHeld) this.#options.onGained()
    else this.#options.onLost()
  }

  async #ask(): Promise<boolean> {
    const { broker, lease, owner, clock } = this.#options
    const askedAtMs = clock.now()
    try {
      await broker.connect()
      const isHeld = await broker.acquireLease(lease, owner, LEASE_MS)
      this.#fault = undefined
      if (isHeld) this.#heldUntilMs = askedAtMs + LEASE_MS
      return isHeld
    } catch (error) {
      this.#fault = error as Error
      return this.#isHeld && clock.now() < this.#heldUntilMs
    }
  }
}

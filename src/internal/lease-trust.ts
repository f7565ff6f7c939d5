import type { Clock } from './clock.ts'

/** A pause between two looks that only a sleeping machine, or a frozen process or server, explains: as long as half a lease, within these. */
const LEAST_SLEPT_MS = 1500
const MOST_SLEPT_MS = 5000

/**
 * Whether leases that have run out say that their owners are dead. After this machine or the store slept they all have, though nobody
 * died: the others get time to renew theirs. So they do at the first look, which may be just after the store came back.
 */
export class LeaseTrust {
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #sleptMs: number
  #lastLookAtMs: number | undefined
  #trustAtMs = 0

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#sleptMs = Math.min(MOST_SLEPT_MS, Math.max(LEAST_SLEPT_MS, leaseMs / 2))
  }

  /** To be asked every second. */
  look(): boolean {
    const now = this.#clock.now()
    if (this.#lastLookAtMs === undefined || now - this.#lastLookAtMs > this.#sleptMs) this.#trustAtMs = now + this.#leaseMs / 2
    this.#lastLookAtMs = now
    return now >= this.#trustAtMs
  }
}

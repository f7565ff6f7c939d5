/** Where time comes from. Everything that waits takes one, so that tests move time instead of sleeping. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Calls `callback` once after `delayMs`; the timer does not keep the process alive unless `keepAlive`. */
  after(delayMs: number, callback: () => void, options?: { keepAlive?: boolean }): Timer
}

/** A call that is still to come. */
export interface Timer {
  cancel(): void
}

/** Longest delay `setTimeout` takes without wrapping round to 1 ms. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback, options) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), LONGEST_DELAY_MS))
    if (!options?.keepAlive) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

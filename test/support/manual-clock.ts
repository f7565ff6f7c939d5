import type { Clock, Timer } from '../../src/internal/clock.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<DueCall>()

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  /** How many calls are still to come. */
  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: DueCall = { dueMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Moves time on and makes, in order and at their own times, the calls that fall due, those they ask for included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (let next = this.#nextUntil(endMs); next; next = this.#nextUntil(endMs)) {
      this.#timers.delete(next)
      this.#nowMs = next.dueMs
      next.callback()
    }
    this.#nowMs = endMs
  }

  #nextUntil(endMs: number): DueCall | undefined {
    let next: DueCall | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= endMs && (!next || timer.dueMs < next.dueMs)) next = timer
    }
    return next
  }
}

interface DueCall {
  readonly dueMs: number
  readonly callback: () => void
}

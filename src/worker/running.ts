import type { Clock } from '../internal/clock.ts'

/** How often it is looked which tasks have been running for long enough. */
const LOOK_EVERY_MS = 20

/** Who wants to hear of a running task. */
export interface RunningTask {
  /** Whether its code runs; not yet while it waits for a process that takes the place of a lost one. */
  hasBegun(): boolean
  /** It has been running for more than a blink. */
  onLong(): void
  /** It reports a state of its own; `resultText` is JSON. */
  onState(state: string, resultText: string): void
}

interface Entry {
  /** When it was first seen to have begun. */
  sinceMs: number | undefined
  readonly task: RunningTask
  told: boolean
}

/**
 * The tasks that run now.
 *
 * Writing STARTED costs as much as running a short task, and nobody sees it of one that is over at once.
 * So a task counts as begun, in the store, when it has been running for 20 to 40 ms.
 */
export class RunningTasks {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  #isLooking = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  begin(id: string, task: RunningTask): void {
    this.#entries.set(id, { sinceMs: undefined, task, told: false })
    this.#lookSoon()
  }

  end(id: string): void {
    this.#entries.delete(id)
  }

  /** A state from the pool; one that comes after the task's end is too late to matter. */
  reportState(id: string, state: string, resultText: string): void {
    this.#entries.get(id)?.task.onState(state, resultText)
  }

  #look = (): void => {
    this.#isLooking = false
    const now = this.#clock.now()
    let untold = false
    for (const entry of this.#entries.values()) {
      if (entry.told) continue
      if (entry.task.hasBegun()) entry.sinceMs ??= now
      if (entry.sinceMs === undefined || now - entry.sinceMs < LOOK_EVERY_MS) {
        untold = true
        continue
      }
      entry.told = true
      entry.task.onLong()
    }
    if (untold) this.#lookSoon()
  }

  #lookSoon(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#clock.after(LOOK_EVERY_MS, this.#look)
  }
}

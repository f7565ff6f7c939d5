import type { Clock } from '../internal/clock.ts'

/** Celery's limits: so many ids, for so long. @see Celery `celery/worker/state.py` */
const MOST = 50_000
const KEEP_MS = 10_800_000

/** Ids of tasks that must not be run. The oldest are forgotten first. */
export class RevokedTasks {
  readonly #until = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(id: string): void {
    this.#until.delete(id)
    this.#until.set(id, this.#clock.now() + KEEP_MS)
    for (const [oldest, until] of this.#until) {
      if (this.#until.size <= MOST && until > this.#clock.now()) break
      this.#until.delete(oldest)
    }
  }

  has(id: string): boolean {
    const until = this.#until.get(id)
    return until !== undefined && until > this.#clock.now()
  }
}

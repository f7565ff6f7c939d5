/** The longest that closing waits in all for a server that does not answer. */
const MOST_MS = 4000

/**
 * How long those who close something wait for a server, together: one that answers is waited for again, one that does not has had
 * its time, however many steps there are.
 */
export class Patience {
  readonly #wholeMs: number
  #untilMs = 0
  #waiting = 0
  #isTried = false

  constructor(connectionTimeoutMs: number) {
    this.#wholeMs = Math.min(connectionTimeoutMs, MOST_MS)
  }

  /** What is left of it. */
  get leftMs(): number {
    const nowMs = performance.now()
    // What was long ago says nothing of the server as it is now.
    const isFresh = this.#waiting === 0 && (!this.#isTried || nowMs > this.#untilMs + this.#wholeMs)
    return isFresh ? this.#wholeMs : Math.max(0, this.#untilMs - nowMs)
  }

  /** Waits for `step`, at most as long as patience lasts, or `half` of that. Whether it is done; one that failed is. */
  async wait(step: Promise<unknown>, share: 'half' | 'all' = 'all'): Promise<boolean> {
    const { leftMs } = this
    this.#untilMs = performance.now() + leftMs
    this.#waiting += 1
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), share === 'half' ? leftMs / 2 : leftMs)
    const outcome = await Promise.race([step.then(() => 'answered' as const, () => 'failed' as const), late.promise])
    clearTimeout(timer)
    this.#waiting -= 1
    this.#isTried = outcome !== 'answered'
    return outcome !== 'late'
  }
}

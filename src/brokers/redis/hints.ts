/** Hints in a row that led to nothing before the next ones are made to wait. */
const FREE = 8

/** How long a hint waits then, doubled with each that leads to nothing. */
const FIRST_DELAY_MS = 2
const LONGEST_DELAY_MS = 100

/** After that long without a hint, the next one counts as the first. */
const QUIET_MS = 500

/**
 * Passes on what the server says of changed keys, and less often while that leads to nothing.
 *
 * The server does not say in which database a key of that name has changed, and another consumer may be quicker: an idle consumer
 * beside busy ones would ask all the time.
 */
export class Hints {
  readonly #pass: (isNoise: boolean) => void
  #futile = 0
  #isLooking = false
  #lastAtMs = 0
  #timer: NodeJS.Timeout | undefined

  /** `pass` is told whether the hint is most likely none, so that a cheaper look will do first. */
  constructor(pass: (isNoise: boolean) => void) {
    this.#pass = pass
  }

  /** There is a hint. */
  take(): void {
    if (this.#timer !== undefined) return
    const nowMs = performance.now()
    if (nowMs - this.#lastAtMs > QUIET_MS) this.#futile = 0
    this.#lastAtMs = nowMs
    if (this.#futile < FREE) this.#look(false)
    // Real time: it is the server's noise that this is about, whatever a test's clock says.
    else this.#timer = setTimeout(() => this.#look(true), Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#futile - FREE))).unref()
  }

  /** Something was looked for, after a hint or not. */
  looked(hasFound: boolean): void {
    if (hasFound) this.#futile = 0
    else if (this.#isLooking) this.#futile += 1
    this.#isLooking = false
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(isNoise: boolean): void {
    this.#timer = undefined
    this.#isLooking = true
    this.#pass(isNoise)
  }
}

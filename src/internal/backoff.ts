/** Exponential delay with full jitter, for things tried again and again. */
export class Backoff {
  readonly #firstMs: number
  readonly #mostMs: number
  #tries = 0

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs
    this.#mostMs = mostMs
  }

  /** Milliseconds to wait before the next try: at least half of the doubled delay, at most `mostMs`. */
  next(): number {
    const delay = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#tries++)
    return delay / 2 + (Math.random() * delay) / 2
  }

  /** Begins again after a success. */
  reset(): void {
    this.#tries = 0
  }
}

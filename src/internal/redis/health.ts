import type { RedisClient } from './client.ts'

/** When a connection is asked whether it is still there. */
export interface HealthOptions {
  /** How often one that nothing came back on is asked. */
  readonly everyMs: number
  /** How long the answer may take. Shorter than that, a server may sleep. */
  readonly answerMs: number
}

/** Notices a peer that is gone without a word: a cable, a frozen machine. Never keeps the process alive. */
export class HealthCheck {
  readonly #client: RedisClient
  readonly #options: HealthOptions
  /** Grows whenever the server answered something. */
  readonly #answers: () => number
  readonly #onDead: () => void
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(client: RedisClient, options: HealthOptions, answers: () => number, onDead: () => void) {
    this.#client = client
    this.#options = options
    this.#answers = answers
    this.#onDead = onDead
    this.#lookLater()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #lookLater(): void {
    const before = this.#answers()
    this.#after(this.#options.everyMs, () => (this.#answers() === before ? this.#ask(before) : this.#lookLater()))
  }

  #ask(before: number): void {
    let isAnswered = false
    const answered = (): void => {
      isAnswered = true
    }
    // An error is an answer too; a broken connection is told by others.
    this.#client.sendCommand(['PING']).then(answered, answered)
    const isAlive = (): boolean => isAnswered || this.#answers() !== before
    this.#expect(isAlive)
  }

  #expect(isAlive: () => boolean): void {
    const dueMs = performance.now() + this.#options.answerMs
    this.#after(this.#options.answerMs, () => {
      // Where this process was busy or frozen, the answer may lie unread: read first.
      const wasBusy = performance.now() - dueMs > 1000
      if (isAlive()) this.#lookLater()
      else if (wasBusy) this.#expect(isAlive)
      else setImmediate(() => this.#decide(isAlive()))
    })
  }

  #decide(isAlive: boolean): void {
    if (this.#isStopped) return
    if (isAlive) this.#lookLater()
    else this.#onDead()
  }

  #after(delayMs: number, callback: () => void): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(callback, delayMs)
    this.#timer.unref()
  }
}

import { toMs } from '../config/duration.ts'
import { expectEnd, type Future } from './future.ts'
import type { WaitOptions } from './wait.ts'

/**
 * A task on its way to the broker: resolves to its future when the broker has accepted it, rejects when it did not.
 *
 * Nobody has to handle the rejection: it never becomes an unhandled one by itself. `await submitted.result()`
 * is the one-line form for the result.
 */
export class Submitted<T> extends Promise<Future<T>> {
  /** The task's id, known before anything is sent. */
  readonly id: string
  readonly #future: Future<T>
  #isAccepted = false

  /** `accepted` settles when the broker has accepted the task or has refused it. */
  constructor(future: Future<T>, accepted: Promise<unknown>) {
    super((resolve, reject) => {
      void accepted.then(
        () => this.#accept(resolve),
        (error: unknown) => {
          // Now somebody handles it.
          void super.then(undefined, ignore)
          reject(error)
        },
      )
    })
    this.#future = future
    this.id = future.id
  }

  static {
    // `await` and `Promise.all` would put a promise of another class into one of their own, which costs as much as making this one.
    void Object.defineProperty(this.prototype, 'constructor', { value: Promise })
  }

  /** Waits for the broker, then for the task's result. */
  async result(options?: WaitOptions): Promise<T> {
    // Before the message is out, nobody has to look whether the task has ended already. Who waits for no time only looks, and later.
    const isWait = options?.timeout === undefined || toMs(options.timeout, 'timeout') > 0
    const stop = isWait && !this.#isAccepted ? expectEnd(this.#future) : undefined
    try {
      const future = await this
      return await future.result(options)
    } finally {
      stop?.()
    }
  }

  #accept(resolve: (future: Future<T>) => void): void {
    this.#isAccepted = true
    resolve(this.#future)
  }
}

function ignore(): void {}

import type { Future } from './future.ts'
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

  /** `accepted` settles when the broker has accepted the task or has refused it. */
  constructor(future: Future<T>, accepted: Promise<unknown>) {
    super((resolve, reject) => void accepted.then(() => resolve(future), reject))
    this.id = future.id
    void super.then(undefined, ignore)
  }

  /** What `then` and the like make of it are plain promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** Waits for the broker, then for the task's result. */
  async result(options?: WaitOptions): Promise<T> {
    const future = await this
    return future.result(options)
  }
}

function ignore(): void {}

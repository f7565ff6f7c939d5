import { randomUUID } from 'node:crypto'
import { InvalidTaskError, PoolNotFoundError } from '../errors.ts'
import { decodeGroupMeta, encodeGroupMeta } from '../protocol/result.ts'
import type { State } from '../states.ts'
import { aggregateState } from './aggregate.ts'
import { asCompleted } from './as-completed.ts'
import { Future } from './future.ts'
import type { CancelOptions, FutureLike, RevokeOptions } from './future-like.ts'
import { infoOf, type Outcome } from './outcome.ts'
import type { ResultSource } from './source.ts'
import { timeoutError } from './timeout-error.ts'
import { waitForOutcomes, waitForResults } from './wait-for-many.ts'
import { callWhenDone, refresh, type WaitOptions } from './wait.ts'
import { isReady, latestOf } from './waitable.ts'

/**
 * Many submitted tasks as one: the methods of a future over all of them, in the order they were submitted.
 *
 * A pool made from an id alone reads its members when it first needs them; `await pool.load()` before
 * counting or iterating it.
 */
export class FuturePool<T> implements FutureLike<T[]>, Iterable<Future<T>> {
  /** Celery's group id. */
  readonly id: string
  readonly #source: ResultSource
  #futures: Future<T>[] | undefined

  /** Without `futures` they are those that were saved under `id`. */
  constructor(source: ResultSource, id: string = randomUUID(), futures?: Iterable<Future<T>>) {
    this.id = id
    this.#source = source
    this.#futures = futures && [...futures]
  }

  /** How many tasks there are. */
  get length(): number {
    return this.#loaded().length
  }

  [Symbol.iterator](): IterableIterator<Future<T>> {
    return this.#loaded().values()
  }

  /** The future at a place; a negative one counts from the end. */
  at(index: number): Future<T> | undefined {
    return this.#loaded().at(index)
  }

  /** Adds a future at the end. */
  add(future: Future<T>): this {
    if (!(future instanceof Future)) {
      throw new InvalidTaskError(`A pool holds futures, not ${typeof future}; add what celery.submit() or celery.get() gives.`)
    }
    this.#loaded().push(future)
    return this
  }

  /** Reads which tasks were saved under the pool's id, unless they are known. Rejects with `PoolNotFoundError`. */
  async load(): Promise<this> {
    await this.#members()
    return this
  }

  /** Stores which tasks form the pool, as Celery does, so that any process can get it by its id. */
  async save(): Promise<this> {
    const ids = (await this.#members()).map((future) => future.id)
    await this.#source.connected()
    await this.#source.backend.saveGroup(this.id, encodeGroupMeta(this.id, ids), this.#source.expiresAtMs())
    return this
  }

  /** Removes what `save` stored. The results stay. */
  async delete(): Promise<void> {
    await this.#source.connected()
    await this.#source.backend.deleteGroup(this.id)
  }

  /**
   * Waits for all results, in order; `timeout` is one deadline for all of them.
   *
   * Rejects with the first failure in order, as soon as all before it have succeeded.
   */
  async result(options: WaitOptions = {}): Promise<T[]> {
    const futures = await this.#members()
    return waitForResults<T>(this.#source, futures, options, () => this.#timeoutError(futures, options))
  }

  /** Celery's name for {@link result}. With `propagate: false` errors stand in the array instead. */
  get(options?: WaitOptions & { readonly propagate?: true }): Promise<T[]>
  get(options: WaitOptions & { readonly propagate: boolean }): Promise<(T | Error)[]>
  async get(options: WaitOptions & { readonly propagate?: boolean } = {}): Promise<(T | Error)[]> {
    if (options.propagate ?? true) return this.result(options)
    return (await this.#outcomes(options)).map((outcome) => (outcome.ok ? outcome.value : outcome.error))
  }

  /** The same as {@link result}. */
  wait(options?: WaitOptions): Promise<T[]> {
    return this.result(options)
  }

  /** The same as {@link result}. */
  join(options?: WaitOptions): Promise<T[]> {
    return this.result(options)
  }

  /** Waits for all, then says of each how it ended, like `Promise.allSettled`. */
  async settled(options: WaitOptions = {}): Promise<PromiseSettledResult<T>[]> {
    return (await this.#outcomes(options)).map((outcome) =>
      outcome.ok ? { status: 'fulfilled', value: outcome.value } : { status: 'rejected', reason: outcome.error },
    )
  }

  /** Waits for all; the error of each, undefined for those that succeeded. Rejects only when the wait itself fails. */
  async exception(options: WaitOptions = {}): Promise<(Error | undefined)[]> {
    return (await this.#outcomes(options)).map((outcome) => (outcome.ok ? undefined : outcome.error))
  }

  /** Waits for all; the first error in order. */
  async firstException(options: WaitOptions = {}): Promise<Error | undefined> {
    return (await this.exception(options)).find((error) => error !== undefined)
  }

  /** Iterates over the futures as their tasks end, however they end. `timeout` is one deadline for all. */
  asCompleted(options: WaitOptions = {}): AsyncIterableIterator<Future<T>, undefined, undefined> {
    return asCompleted(this.#source, () => this.#members(), options, (futures) => this.#timeoutError(futures, options))
  }

  /** The one state of all: PENDING if any is, then RECEIVED, STARTED, RETRY, REVOKED, FAILURE; SUCCESS when all are, or there are none. */
  async state(): Promise<State> {
    return aggregateState(await this.#states())
  }

  /** The same as {@link state}. */
  status(): Promise<State> {
    return this.state()
  }

  /** The state when the pool last looked; never reads the store. */
  get lastState(): State {
    return this.#futures ? aggregateState(this.#futures.map((future) => future.lastState)) : 'PENDING'
  }

  /** What each task reported with its state. */
  async info(): Promise<unknown[]> {
    return Promise.all((await this.#refreshed()).map((future) => infoOf(this.#source, latestOf(future))))
  }

  /** Whether any task has yet to end. */
  async running(): Promise<boolean> {
    return !(await this.ready())
  }

  /** Whether all tasks have ended. */
  done(): Promise<boolean> {
    return this.ready()
  }

  /** Whether any task was cancelled. */
  async cancelled(): Promise<boolean> {
    return (await this.#states()).includes('REVOKED')
  }

  /** Celery's name for {@link done}. */
  async ready(): Promise<boolean> {
    return (await this.#refreshed()).every((future) => isReady(latestOf(future)))
  }

  /** Celery's name for {@link running}. */
  waiting(): Promise<boolean> {
    return this.running()
  }

  /** Whether all tasks have ended with a result. */
  async successful(): Promise<boolean> {
    return (await this.#states()).every((state) => state === 'SUCCESS')
  }

  /** Whether any task has ended with an error. */
  async failed(): Promise<boolean> {
    return (await this.#states()).includes('FAILURE')
  }

  /** How many tasks have ended with a result. */
  async completedCount(): Promise<number> {
    return (await this.#states()).filter((state) => state === 'SUCCESS').length
  }

  /** Rejects with the first error in order, of the tasks that have failed or were cancelled by now. */
  async throwIfFailed(): Promise<void> {
    for (const future of await this.#refreshed()) await future.throwIfFailed()
  }

  /** Cancels every task; resolves to whether all are cancelled. */
  async cancel(options: CancelOptions = {}): Promise<boolean> {
    const cancelled = await Promise.all((await this.#members()).map((future) => future.cancel(options)))
    return cancelled.every(Boolean)
  }

  /** Tells the workers to drop every task. */
  async revoke(options: RevokeOptions = {}): Promise<void> {
    await Promise.all((await this.#members()).map((future) => future.revoke(options)))
  }

  /** Removes the stored results. */
  async forget(): Promise<void> {
    await Promise.all((await this.#members()).map((future) => future.forget()))
  }

  /** Calls `callback` once with this very pool when all tasks have ended; see {@link Future.addDoneCallback}. */
  addDoneCallback(callback: (pool: this) => unknown): this {
    void callWhenDone(this.#source, () => this.#outcomes({}), () => callback(this))
    return this
  }

  async #outcomes(options: WaitOptions): Promise<Outcome<T>[]> {
    const futures = await this.#members()
    return waitForOutcomes<T>(this.#source, futures, options, () => this.#timeoutError(futures, options))
  }

  async #timeoutError(futures: readonly Future<T>[], { timeout }: WaitOptions): Promise<Error> {
    const missing = futures.filter((future) => !isReady(latestOf(future)))
    const [first] = missing
    const queue = await first?.queue().catch(() => undefined)
    const what = `Pool ${this.id} still waits for ${missing.length} of its ${futures.length} tasks`
    return timeoutError(this.#source, first?.id ?? this.id, queue, timeout, what)
  }

  async #states(): Promise<State[]> {
    return (await this.#refreshed()).map((future) => future.lastState)
  }

  async #refreshed(): Promise<readonly Future<T>[]> {
    const futures = await this.#members()
    await refresh(this.#source, futures)
    return futures
  }

  async #members(): Promise<readonly Future<T>[]> {
    if (this.#futures) return [...this.#futures]
    await this.#source.connected()
    const text = await this.#source.backend.getGroup(this.id)
    if (text === undefined) throw new PoolNotFoundError(`No pool is saved under ${this.id}, or it has expired; save one with pool.save().`, this.id)
    this.#futures ??= decodeGroupMeta(text).map((id) => new Future<T>(this.#source, id))
    return [...this.#futures]
  }

  #loaded(): Future<T>[] {
    if (!this.#futures) throw new InvalidTaskError(`The members of pool ${this.id} are not known yet: await pool.load() first.`)
    return this.#futures
  }
}

import type { StoredResult } from '../backend.ts'
import { decodeResultMeta, type ResultMeta } from '../protocol/result.ts'
import type { State } from '../states.ts'
import { cancelTask, revokeRequest } from './cancel.ts'
import type { CancelOptions, FutureLike, Progress, RevokeOptions } from './future-like.ts'
import { infoOf, outcomeOf } from './outcome.ts'
import { progressOf } from './progress.ts'
import type { ResultSource } from './source.ts'
import { timeoutError } from './timeout-error.ts'
import { callWhenDone, refresh, waitForOne, type WaitOptions } from './wait.ts'
import { endsUnseen, isReady, latestOf, remember, Waitable } from './waitable.ts'
import { waitingTable } from './waiting.ts'

let sourceOf: (future: Future<unknown>) => ResultSource

/**
 * One submitted task: a handle to its state and result, in the process that submitted it or in any other.
 *
 * Never thenable, so it can be returned from an async function; `await future.result()` waits. An id that
 * nobody submitted is `PENDING`, as in Celery. Once a future has seen how the task ended, it reads no more.
 */
export class Future<T> extends Waitable implements FutureLike<T> {
  /** The task's name; undefined for a future made from an id alone. */
  readonly name: string | undefined
  readonly #source: ResultSource
  readonly #queue: string | undefined

  constructor(source: ResultSource, id: string, name?: string, queue?: string) {
    super(id)
    this.name = name
    this.#source = source
    this.#queue = queue
  }

  /**
   * Waits for the result.
   *
   * Rejects with the task's error when it failed, with `TaskRevokedError` when it was cancelled, and with
   * `TimeoutError` when `timeout` is over; the task then goes on. Like everything that waits for the end it rejects
   * at once with `InvalidTaskError` when the task was sent from here with `ignoreResult`: nobody could see the end.
   */
  async result(options: WaitOptions = {}): Promise<T> {
    const outcome = await outcomeOf<T>(this.#source, await this.#untilReady(options))
    if (!outcome.ok) throw outcome.error
    return outcome.value
  }

  /** Waits for the end; resolves to the task's error, undefined when it succeeded. Rejects only when the wait itself fails. */
  async exception(options: WaitOptions = {}): Promise<Error | undefined> {
    const outcome = await outcomeOf<T>(this.#source, await this.#untilReady(options))
    return outcome.ok ? undefined : outcome.error
  }

  /** Celery's name for {@link result}. With `propagate: false` resolves to the error instead of rejecting with it. */
  get(options?: WaitOptions & { readonly propagate?: true }): Promise<T>
  get(options: WaitOptions & { readonly propagate: boolean }): Promise<T | Error>
  async get(options: WaitOptions & { readonly propagate?: boolean } = {}): Promise<T | Error> {
    const outcome = await outcomeOf<T>(this.#source, await this.#untilReady(options))
    if (outcome.ok) return outcome.value
    if (options.propagate === false) return outcome.error
    throw outcome.error
  }

  /** The same as {@link get}. */
  wait(options?: WaitOptions & { readonly propagate?: true }): Promise<T>
  wait(options: WaitOptions & { readonly propagate: boolean }): Promise<T | Error>
  wait(options: WaitOptions & { readonly propagate?: boolean } = {}): Promise<T | Error> {
    return this.get({ ...options, propagate: options.propagate ?? true })
  }

  /** The task's state now. */
  async state(): Promise<State> {
    await refresh(this.#source, [this])
    return this.lastState
  }

  /** The same as {@link state}. */
  status(): Promise<State> {
    return this.state()
  }

  /** The state when this future last looked; never reads the store. */
  get lastState(): State {
    return latestOf(this)?.status ?? 'PENDING'
  }

  /** What the task reported with its state, its result when it succeeded, or its error. */
  async info(): Promise<unknown> {
    await refresh(this.#source, [this])
    return infoOf(this.#source, latestOf(this))
  }

  /** Whether the task has yet to end: it waits, runs, or waits to run again. */
  async running(): Promise<boolean> {
    return !(await this.ready())
  }

  /** Whether the task has ended: with a result, with an error, or cancelled. */
  done(): Promise<boolean> {
    return this.ready()
  }

  /** Whether the task was cancelled, by whomever. */
  async cancelled(): Promise<boolean> {
    return (await this.state()) === 'REVOKED'
  }

  /** Celery's name for {@link done}. */
  async ready(): Promise<boolean> {
    await refresh(this.#source, [this])
    return isReady(latestOf(this))
  }

  /** Whether the task has ended with a result. */
  async successful(): Promise<boolean> {
    return (await this.state()) === 'SUCCESS'
  }

  /** Whether the task has ended with an error. */
  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE'
  }

  /** Rejects with the task's error when it has failed or was cancelled by now. */
  async throwIfFailed(): Promise<void> {
    if (await this.ready()) await this.result()
  }

  /**
   * Cancels the task; resolves to whether it is cancelled.
   *
   * A task that has not begun is cancelled for certain. One that runs is ended, and true means that it was
   * within `timeout`. A task that had ended before stays as it is. With `terminate: false` one that runs is
   * left alone.
   */
  cancel(options: CancelOptions = {}): Promise<boolean> {
    return cancelTask(this.#source, this, options)
  }

  /** Tells the workers to drop the task. Unlike {@link cancel} it stores nothing itself and waits for nothing. */
  revoke(options: RevokeOptions = {}): Promise<void> {
    return this.#source.revoke(this.id, revokeRequest(options.terminate ?? false, options.signal))
  }

  /** Removes the stored result; the state is then `PENDING` again. */
  async forget(): Promise<void> {
    await this.#source.connected()
    await this.#source.backend.forget(this.id)
    remember(this, undefined)
  }

  /**
   * Calls `callback` once with this very future when the task has ended, however it ended; in a later tick when
   * it has ended already. Nobody needs to wait. The process stays alive until then, and the call does not
   * survive its end. What the callback throws goes to the application's error event.
   */
  addDoneCallback(callback: (future: this) => unknown): this {
    void callWhenDone(this.#source, () => this.#untilReady({}), () => callback(this))
    return this
  }

  /**
   * Iterates over the states of the task, the stored one first, each with what it reported, until it ends.
   *
   * The end is not among them: `result` tells it. A slow consumer misses some, but gets the latest.
   */
  progress(options: WaitOptions = {}): AsyncIterableIterator<Progress, undefined, undefined> {
    return progressOf(this.#source, this, options, () => this.#timeoutError(options))
  }

  /** The tasks that this task sent, as far as it has ended. Those of a group are listed one by one. */
  async children(): Promise<Future<unknown>[]> {
    const meta = await this.#meta()
    return (meta?.children ?? []).map((id) => new Future(this.#source, id))
  }

  /** The task that sent this one. */
  async parent(): Promise<Future<unknown> | undefined> {
    const id = (await this.#meta())?.parentId
    return id ? new Future(this.#source, id) : undefined
  }

  /** The stack of the task's error, where it was thrown. */
  async traceback(): Promise<string | undefined> {
    return (await this.#meta())?.traceback ?? undefined
  }

  /** When the task ended. */
  async dateDone(): Promise<Date | undefined> {
    const ms = (await this.#meta())?.dateDone
    return ms === undefined ? undefined : new Date(ms)
  }

  /** The node name of the worker that took the task. */
  async worker(): Promise<string | undefined> {
    return (await this.#meta())?.worker ?? undefined
  }

  /** How often the task was tried again. */
  async retries(): Promise<number | undefined> {
    return (await this.#meta())?.retries ?? undefined
  }

  /** The positional arguments, as a worker stored them. */
  async args(): Promise<unknown> {
    return (await this.#meta())?.args ?? undefined
  }

  /** The keyword arguments, as a worker stored them. */
  async kwargs(): Promise<unknown> {
    return (await this.#meta())?.kwargs ?? undefined
  }

  /** The queue that the task was sent to. */
  async queue(): Promise<string | undefined> {
    return this.#queue ?? (await this.#meta())?.queue ?? undefined
  }

  static {
    sourceOf = (future) => future.#source
  }

  #untilReady(options: WaitOptions): Promise<StoredResult> {
    return waitForOne(this.#source, this, options, () => this.#timeoutError(options))
  }

  #timeoutError({ timeout }: WaitOptions): Promise<Error> {
    const task = this.name === undefined ? `Task ${this.id}` : `Task "${this.name}" (${this.id})`
    return timeoutError(this.#source, this.id, this.#queue, timeout, `${task} is still ${this.lastState}`)
  }

  async #meta(): Promise<ResultMeta | undefined> {
    await refresh(this.#source, [this])
    const record = latestOf(this)
    return record && decodeResultMeta(record.text)
  }
}

/** Gets ready to be told how the task of a future ends, which is just being sent. Returns the function that ends it. */
export function expectEnd(future: Future<unknown>): () => void {
  if (endsUnseen(future)) return () => {}
  return waitingTable(sourceOf(future)).watch(future.id, { seen: (record) => remember(future, record), failed: () => {} }, 'new')
}

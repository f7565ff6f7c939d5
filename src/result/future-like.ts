import type { Duration } from '../config/duration.ts'
import type { State } from '../states.ts'
import type { WaitOptions } from './wait.ts'

/** What one task and a pool of tasks have in common. `T` is what it results in. */
export interface FutureLike<T> {
  readonly id: string
  /** The state when it was last looked at; never reads the store. */
  readonly lastState: State

  /** Waits for the result. Rejects with the task's error when it failed. */
  result(options?: WaitOptions): Promise<T>
  /** Waits for the end and resolves to the error. Never rejects with it. */
  exception(options?: WaitOptions): Promise<Error | undefined | readonly (Error | undefined)[]>
  /** Celery's name for `result`. */
  get(options?: WaitOptions): Promise<T>
  wait(options?: WaitOptions): Promise<T>

  state(): Promise<State>
  status(): Promise<State>
  info(): Promise<unknown>
  running(): Promise<boolean>
  done(): Promise<boolean>
  cancelled(): Promise<boolean>
  ready(): Promise<boolean>
  successful(): Promise<boolean>
  failed(): Promise<boolean>
  /** Rejects with the error when there is one by now. Does not wait. */
  throwIfFailed(): Promise<void>

  cancel(options?: CancelOptions): Promise<boolean>
  revoke(options?: RevokeOptions): Promise<void>
  forget(): Promise<void>
  addDoneCallback(callback: (future: this) => unknown): this
}

/** How to cancel. */
export interface CancelOptions {
  /** End the task also when it runs already. Default true; false is the strict rule of `concurrent.futures`. */
  readonly terminate?: boolean | undefined
  /** Wait for a running task to end. Default true. */
  readonly wait?: boolean | undefined
  /** The longest such wait, in seconds or as text such as `'500ms'`. Default 1. */
  readonly timeout?: Duration | undefined
  /** The process signal that ends the task, e.g. `'SIGKILL'`. Default: the worker's choice. */
  readonly signal?: string | undefined
}

/** How to revoke. */
export interface RevokeOptions {
  /** End the task also when it runs already. Default false. */
  readonly terminate?: boolean | undefined
  /** The process signal that ends the task, e.g. `'SIGKILL'`. Default: the worker's choice. */
  readonly signal?: string | undefined
}

/** A state that a running task is in, with what it reported: `{ state: 'PROGRESS', info: { done: 5 } }`. */
export interface Progress {
  readonly state: State
  readonly info: unknown
}

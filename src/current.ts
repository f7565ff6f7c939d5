import { AsyncLocalStorage } from 'node:async_hooks'

import type { Duration } from './config/duration.ts'
import { NoCurrentAppError } from './errors.ts'

/** The task that is running, as its own code sees it. */
export interface CurrentTask {
  readonly id: string
  /** Registered name, or `module:export` of a submitted function. */
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** How many times it was retried before; 0 at first. */
  readonly retries: number
  readonly eta: Date | undefined
  readonly expires: Date | undefined
  readonly rootId: string
  readonly parentId: string | undefined
  readonly groupId: string | undefined
  /** Node name of the worker, e.g. `worker1@host`. */
  readonly hostname: string
  readonly deliveryInfo: { readonly routingKey: string; readonly redelivered: boolean }
  /** Headers of the message that are not Celery's own. */
  readonly headers: Readonly<Record<string, unknown>>
  /** It runs where it was submitted, because of `taskAlwaysEager`. */
  readonly isEager: boolean
  /** Aborted when the task is cancelled, or when its worker stops. */
  readonly signal: AbortSignal
  /**
   * Stores a state of your own for `future.state()` and `future.info()`.
   *
   * States reported in one turn of the event loop arrive as the last one only.
   * @throws {@link EncodeError} when `meta` cannot travel.
   */
  updateState(update: { state: string; meta?: unknown }): void
  /** `updateState` with the state PROGRESS. */
  progress(meta: unknown): void
  /**
   * Ends this run and has the task run again later, by any worker, under the same id: `throw currentTask()?.retry()`.
   *
   * Never returns: it throws {@link Retry}, which the task must let through; or, when it was retried often enough, `exc`, or
   * `MaxRetriesExceededError` without one.
   */
  retry(options?: RetryOptions): never
}

/** How a task is retried. */
export interface RetryOptions {
  /** Wait this long before it runs again. Default: 180 seconds, as in Celery. */
  readonly countdown?: Duration
  /** Run again at this time, in place of `countdown`. */
  readonly eta?: Date
  /** What went wrong: stored with the state RETRY, and thrown when it may not be retried any more. */
  readonly exc?: unknown
  /** How often it may be retried; null: for ever. Default: 3, hence four runs. */
  readonly maxRetries?: number | null
  /** Arguments in place of the present ones. */
  readonly args?: readonly unknown[]
  readonly kwargs?: Readonly<Record<string, unknown>>
}

/** The most tasks of which a task's result says that it sent them. */
const MOST_CHILDREN = 1000

interface Shared {
  readonly tasks: AsyncLocalStorage<CurrentTask>
  /** Ids of what each running task has sent. */
  readonly children: WeakMap<CurrentTask, string[]>
  app: (() => unknown) | undefined
}

// One per process even when the package is loaded twice (as ESM and through a bundle, say).
const SHARED = Symbol.for('celeriac.current')
const holder = globalThis as unknown as Record<symbol, Shared | undefined>
const shared: Shared = (holder[SHARED] ??= { tasks: new AsyncLocalStorage(), children: new WeakMap(), app: undefined })

/** The task that this code runs in; undefined outside of one. */
export function currentTask(): CurrentTask | undefined {
  return shared.tasks.getStore()
}

/** Notes that a task has sent another one. */
export function noteChild(task: CurrentTask, id: string): void {
  const children = shared.children.get(task)
  if (children === undefined) shared.children.set(task, [id])
  else if (children.length < MOST_CHILDREN) children.push(id)
}

/** Ids of the tasks that a task has sent, the first {@link MOST_CHILDREN}. */
export function childrenOf(task: CurrentTask): readonly string[] {
  return shared.children.get(task) ?? []
}

/**
 * The web application, inside a task.
 *
 * In a worker it is the one named by the option `app` or `CELERIAC_APP`, or found in the main script if
 * that guards its start-up with `import.meta.main`.
 * @throws {@link NoCurrentAppError} when there is none, saying how to name it.
 */
export function currentApp<A = unknown>(): A {
  const app = shared.app?.()
  if (app !== undefined) return app as A
  throw new NoCurrentAppError(
    'There is no current web application here. In a task, name it with `new Celery({ app: "./app.ts:app" })` or the ' +
      'environment variable CELERIAC_APP, or guard the start of the main script with `if (import.meta.main)`.',
  )
}

/** Runs `callback` with `task` as the current one, across its awaits. */
export function runAsCurrentTask<T>(task: CurrentTask, callback: () => T): T {
  return shared.tasks.run(task, callback)
}

/** Says where `currentApp` finds the application. */
export function setCurrentApp(find: (() => unknown) | undefined): void {
  shared.app = find
}

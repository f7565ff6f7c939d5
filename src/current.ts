import { AsyncLocalStorage } from 'node:async_hooks'

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
}

interface Shared {
  readonly tasks: AsyncLocalStorage<CurrentTask>
  app: (() => unknown) | undefined
}

// One per process even when the package is loaded twice (as ESM and through a bundle, say).
const SHARED = Symbol.for('celeriac.current')
const holder = globalThis as unknown as Record<symbol, Shared | undefined>
const shared: Shared = (holder[SHARED] ??= { tasks: new AsyncLocalStorage(), app: undefined })

/** The task that this code runs in; undefined outside of one. */
export function currentTask(): CurrentTask | undefined {
  return shared.tasks.getStore()
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

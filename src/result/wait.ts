import type { StoredResult } from '../backend.ts'
import { type Duration, toMs } from '../config/duration.ts'
import { InvalidTaskError } from '../errors.ts'
import type { ResultSource } from './source.ts'
import { endsUnseen, isReady, latestOf, remember, type Waitable } from './waitable.ts'
import { readRecords, waitingTable } from './waiting.ts'

/** How long to wait. */
export interface WaitOptions {
  /** Seconds, or text such as `'500ms'`. Default: no limit. 0 looks once. The task itself goes on when it is over. */
  readonly timeout?: Duration | undefined
  /** Ends the wait, which then rejects with the signal's reason. The task itself goes on. */
  readonly signal?: AbortSignal | undefined
}

/** What a wait calls. After `failed` or `late` it has ended by itself. */
export interface WaitEvents {
  /** A record of the task at `index`; undefined: nothing is stored. */
  seen(index: number, record: StoredResult | undefined): void
  failed(error: unknown): void
  /** The time was over. */
  late(): void
}

/**
 * Watches many tasks under one time limit and one abort signal. Calls nothing before it returns.
 *
 * Returns the function that ends it: then no timer, listener or subscription of it is left.
 */
export function startWait(source: ResultSource, tasks: readonly Waitable[], options: WaitOptions, events: WaitEvents): () => void {
  const { signal } = options
  const timeoutMs = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
  signal?.throwIfAborted()

  const table = waitingTable(source)
  const unwatch: (() => void)[] = []
  let ended = false
  const end = (): void => {
    ended = true
    timer?.cancel()
    signal?.removeEventListener('abort', abort)
    for (const stop of unwatch) stop()
  }
  const fail = (error: unknown): void => {
    if (ended) return
    end()
    events.failed(error)
  }
  const expire = (): void => {
    if (ended) return
    end()
    events.late()
  }
  const abort = (): void => fail(signal?.reason)
  const see = (index: number, task: Waitable, record: StoredResult | undefined): void => {
    if (ended) return
    remember(task, record)
    events.seen(index, record)
    if (timeoutMs === 0 && !isReady(record)) expire()
  }

  const timer = timeoutMs ? source.clock.after(timeoutMs, expire, { keepAlive: true }) : undefined
  signal?.addEventListener('abort', abort, { once: true })
  const unseen = tasks.find(endsUnseen)
  queueMicrotask(() => {
    if (unseen) return fail(nothingToWaitFor(unseen))
    for (const [index, task] of tasks.entries()) {
      if (ended) return
      const known = latestOf(task)
      if (isReady(known)) {
        see(index, task, known)
        continue
      }
      const stop = table.watch(task.id, { seen: (record) => see(index, task, record), failed: fail }, timeoutMs === 0 ? 'now' : undefined)
      if (ended) stop()
      else unwatch.push(stop)
    }
  })
  return end
}

function nothingToWaitFor({ id }: Waitable): InvalidTaskError {
  return new InvalidTaskError(`Task ${id} was sent with "ignoreResult": nothing is stored when it ends, so it cannot be waited for. Send it without, or do not wait.`)
}

/** Says how a promise made by {@link waitFor} settles. */
export interface Settle<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/**
 * Waits until `onReady`, called once for each task as it is ready, settles the wait.
 *
 * When the time is over it rejects with what `timeoutError` makes, which must not reject itself.
 */
export function waitFor<T>(
  source: ResultSource,
  tasks: readonly Waitable[],
  options: WaitOptions,
  timeoutError: () => Promise<Error>,
  onReady: (index: number, record: StoredResult, settle: Settle<T>) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle: Settle<T> = {
      resolve: (value) => {
        stop()
        resolve(value)
      },
      reject: (error) => {
        stop()
        reject(error)
      },
    }
    const stop = startWait(source, tasks, options, {
      seen: (index, record) => {
        if (!record || !isReady(record)) return
        try {
          onReady(index, record, settle)
        } catch (error) {
          settle.reject(error)
        }
      },
      failed: reject,
      late: () => void timeoutError().then(reject),
    })
  })
}

/** Waits for one task. */
export function waitForOne(
  source: ResultSource,
  task: Waitable,
  options: WaitOptions,
  timeoutError: () => Promise<Error>,
): Promise<StoredResult> {
  return waitFor<StoredResult>(source, [task], options, timeoutError, (_index, record, settle) => settle.resolve(record))
}

/** Waits, then calls back. Nobody awaits that: what goes wrong is reported. */
export async function callWhenDone(source: ResultSource, wait: () => Promise<unknown>, callback: () => unknown): Promise<void> {
  try {
    await wait()
    await callback()
  } catch (error) {
    source.reportError(error)
  }
}

/** Brings what is known of the tasks up to date, without waiting for any of them. */
export async function refresh(source: ResultSource, tasks: readonly Waitable[]): Promise<void> {
  const stale = tasks.filter((task) => !isReady(latestOf(task)))
  if (stale.length === 0) return
  await source.connected()
  const records = await readRecords(source, stale.map((task) => task.id))
  for (const task of stale) {
    // A wait may have seen the end while this read was under way.
    if (!isReady(latestOf(task))) remember(task, records.get(task.id))
  }
}

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { OperationalError } from '../../errors.ts'
import { isBusy, isStoreFault, toOperationalError } from './faults.ts'
import { describeLockHolders } from './lock-holders.ts'

/** A transaction ends after this many pieces of work or this long, so that others get their turn. */
const MOST_WORK = 200
const LONGEST_MS = 4

/** A busy database is tried again at every turn of the loop for this long, then after a pause, and so on. */
const SPIN_MS = 0.5
const PAUSE_MS = 1

interface Work {
  readonly run: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
  readonly queuedAtMs: number
  value: unknown
}

/** What a {@link GroupCommit} needs besides its connection. */
export interface GroupCommitOptions {
  readonly path: string
  /** How long a piece of work waits for a lock that somebody else holds. */
  readonly timeoutMs: number
  /** Called after each commit with how much work was in it, before the callers are told. */
  readonly onCommit: (count: number) => void
}

/**
 * Runs writes in shared transactions: all that is asked for in one turn of the event loop costs one commit.
 *
 * It never waits for a lock inside the loop. When another process writes, the transaction is tried again
 * later, so a piece of work may run more than once before the one time that counts: it must have no effect
 * outside the database.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  /** Batches of at most {@link MOST_WORK}: taking from the front stays cheap with a million waiting. */
  readonly #batches: Work[][] = []
  #scheduled = false
  #spinUntilMs: number | undefined
  #idle: (() => void) | undefined

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database
    this.#options = options
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  /** Resolves to what `run` returned once it is committed. When `run` throws, it alone is undone. */
  write<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let batch = this.#batches.at(-1)
      if (batch === undefined || batch.length >= MOST_WORK) this.#batches.push((batch = []))
      batch.push({ run, resolve, reject, queuedAtMs: performance.now(), value: undefined })
      this.#schedule()
    })
  }

  /** Nothing waits to be written. */
  get isIdle(): boolean {
    return this.#batches.length === 0
  }

  /** Resolves when nothing waits to be written. */
  drained(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => (this.#idle = resolve))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const batch = this.#batches[0]
    if (batch !== undefined) this.#commitSome(batch)
    this.#dropEmptyBatches()
    if (this.#batches.length > 0) return this.#schedule()
    this.#idle?.()
    this.#idle = undefined
  }

  #commitSome(batch: Work[]): void {
    let count = 0
    try {
      this.#begin.run()
      const startedMs = performance.now()
      for (const work of batch) {
        count += 1
        work.value = work.run()
        if (performance.now() - startedMs > LONGEST_MS) break
      }
      this.#commit.run()
    } catch (error) {
      this.#rollback()
      if (isBusy(error)) return this.#retryLater()
      const tried = batch.splice(0, Math.max(count, 1))
      if (isStoreFault(error)) return this.#rejectAll(tried, toOperationalError(error, this.#options.path))
      return this.#commitOneByOne(tried)
    }
    this.#spinUntilMs = undefined
    this.#settle(batch.splice(0, count))
  }

  /** One of several failed: each again in a savepoint of its own, so that only the failing one is undone. */
  #commitOneByOne(batch: readonly Work[]): void {
    const done: Work[] = []
    const failed = new Map<Work, unknown>()
    try {
      this.#begin.run()
      for (const work of batch) {
        this.#database.exec('SAVEPOINT work')
        try {
          work.value = work.run()
          done.push(work)
        } catch (error) {
          if (isStoreFault(error) || isBusy(error)) throw error
          this.#database.exec('ROLLBACK TO work')
          failed.set(work, toOperationalError(error, this.#options.path))
        }
        this.#database.exec('RELEASE work')
      }
      this.#commit.run()
    } catch (error) {
      this.#rollback()
      if (!isBusy(error)) return this.#rejectAll(batch, toOperationalError(error, this.#options.path))
      this.#batches.unshift([...batch])
      return this.#retryLater()
    }
    this.#settle(done)
    for (const [work, error] of failed) work.reject(error)
  }

  #settle(done: readonly Work[]): void {
    this.#options.onCommit(done.length)
    for (const work of done) work.resolve(work.value as never)
  }

  #rollback(): void {
    // Some failures, e.g. a full disk, have already ended the transaction.
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  #retryLater(): void {
    const nowMs = performance.now()
    this.#rejectOverdue(nowMs)
    this.#spinUntilMs ??= nowMs + SPIN_MS
    if (nowMs < this.#spinUntilMs) return
    this.#spinUntilMs = undefined
    this.#scheduled = true
    setTimeout(() => this.#flush(), PAUSE_MS)
  }

  #rejectOverdue(nowMs: number): void {
    const { path, timeoutMs } = this.#options
    const overdue = (work: Work | undefined): boolean => work !== undefined && nowMs - work.queuedAtMs > timeoutMs
    if (!overdue(this.#batches[0]?.[0])) return
    const message = `The database "${path}" stayed locked for ${timeoutMs / 1000} s.${describeLockHolders(path)} Close the program that holds it, or raise brokerConnectionTimeout.`
    for (const batch of this.#batches) {
      const late = batch.findIndex((work) => !overdue(work))
      this.#rejectAll(batch.splice(0, late === -1 ? batch.length : late), new OperationalError(message))
    }
    this.#dropEmptyBatches()
  }

  #dropEmptyBatches(): void {
    while (this.#batches[0]?.length === 0) this.#batches.shift()
  }

  #rejectAll(batch: readonly Work[], reason: unknown): void {
    for (const work of batch) work.reject(reason)
  }
}

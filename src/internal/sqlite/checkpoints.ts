import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'

/** Pieces of work after which a consumer's process, and any other one, has the log moved into the database. */
const EARLY_WORK = 30_000
const LATE_WORK = 60_000

/** The same for any process when the log has grown by so much, e.g. with few but large messages. */
const GROWTH_BYTES = 64 * 2 ** 20

/** Looking at the size costs a system call, so it is done once in so many commits. */
const COMMITS_BETWEEN_LOOKS = 16

/**
 * What the thread runs. It moves as much as it can beside the writers, and then keeps them out for the
 * little that is left: only a log that was moved entirely begins again at its start. SQLite's own ways either
 * never get there while several processes write without a pause, or sleep too long to get the lock.
 *
 * The file keeps its size while there is work, because giving space back and taking it again costs the
 * writers more than the move itself; it is cut when there was none for a while.
 */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
process.emitWarning = () => {}
const { DatabaseSync } = require('node:sqlite')
const [mover, lock] = [1, 2].map(() => new DatabaseSync(workerData, { timeout: 0 }))
const clock = new Int32Array(new SharedArrayBuffer(4))
const attempt = (database, statement) => {
  try {
    database.exec(statement)
    return true
  } catch {
    return false
  }
}
const lockOut = () => {
  for (let tries = 0; tries < 500; tries += 1) {
    if (attempt(lock, 'BEGIN IMMEDIATE')) return true
    Atomics.wait(clock, 0, 0, 0.2)
  }
  return false
}
let quiet
parentPort.on('message', () => {
  clearTimeout(quiet)
  attempt(mover, 'PRAGMA wal_checkpoint(PASSIVE)')
  if (lockOut()) {
    attempt(mover, 'PRAGMA wal_checkpoint(PASSIVE)')
    attempt(lock, 'COMMIT') || attempt(lock, 'ROLLBACK')
  }
  quiet = setTimeout(attempt, 3000, mover, 'PRAGMA wal_checkpoint(TRUNCATE)')
  parentPort.postMessage('done')
})
`

/**
 * Has the write-ahead log moved into the database file now and then.
 *
 * On a thread of its own, made when it is first needed: the move waits for the disk, and the event loop must not.
 */
export class Checkpoints {
  readonly #log: string
  readonly #path: string
  #mostWork = LATE_WORK
  #work = 0
  #commits = 0
  #size = 0
  #starting: Promise<Worker | undefined> | undefined
  /** Settled when the move under way is done. */
  #moving: PromiseWithResolvers<void> | undefined
  #closed = false

  constructor(path: string) {
    this.#path = path
    this.#log = `${path}-wal`
  }

  early(): void {
    this.#mostWork = EARLY_WORK
  }

  afterCommit(work: number): void {
    this.#work += work
    this.#commits += 1
    if (this.#moving !== undefined || this.#commits % COMMITS_BETWEEN_LOOKS !== 0) return
    if (this.#work > this.#mostWork || this.#logSize() > this.#size + GROWTH_BYTES) this.#request()
  }

  async close(): Promise<void> {
    this.#closed = true
    const thread = await this.#starting
    // Not in the middle of a move, while it may hold the lock that keeps the writers out.
    await this.#moving?.promise
    await thread?.terminate()
  }

  #request(): void {
    this.#moving = Promise.withResolvers<void>()
    this.#starting ??= this.#start()
    void this.#starting.then((thread) => {
      if (thread === undefined || this.#closed) this.#done()
      else thread.postMessage('checkpoint')
    })
  }

  async #start(): Promise<Worker | undefined> {
    const { Worker } = await import('node:worker_threads')
    try {
      // Nothing of the application's: its loaders and hooks would be run again in the thread.
      const thread = new Worker(THREAD, { eval: true, workerData: this.#path, execArgv: [], env: {} })
      thread.unref()
      thread.on('message', () => this.#done())
      // Without it the log only grows for a while; another one is made when it is needed again.
      thread.on('error', () => this.#ended())
      thread.on('exit', () => this.#ended())
      return thread
    } catch {
      return undefined
    }
  }

  #done(): void {
    this.#moving?.resolve()
    this.#moving = undefined
    this.#work = 0
    this.#size = this.#logSize()
  }

  #ended(): void {
    this.#starting = undefined
    this.#done()
  }

  #logSize(): number {
    return statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0
  }
}

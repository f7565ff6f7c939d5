import { statSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { Changes, type Concern } from './changes.ts'
import { Checkpoints } from './checkpoints.ts'
import { isBusy, toOperationalError } from './faults.ts'
import { GroupCommit } from './group-commit.ts'

/** How the embedded store is opened. The first opener of a file in a process decides. */
export interface SqliteOptions {
  /** The folder that relative paths start from. */
  readonly root: string
  readonly clock: Clock
  readonly logger: Logger
  /** How long a lock held by another process is waited for. */
  readonly connectionTimeoutMs: number
  /** `normal` survives the death of any process, `full` also a power cut. Default: `normal`. */
  readonly synchronous?: 'normal' | 'full'
  /** Opens a file on NFS or SMB all the same. Default: false. */
  readonly allowNetworkFileSystem?: boolean
}

/** How often a reader looks whether the file is still the one that was opened. A writer does with every commit. */
const LOOK_AT_FILE_MS = 200

/**
 * This process's one connection to a database file, for the broker and the result backend together.
 *
 * Reads are synchronous and never wait; writes go through {@link GroupCommit}.
 *
 * A file that was deleted or replaced can still be used, but nobody else would ever see it: this is noticed
 * soon, and the file that is there now, made anew if there is none, takes its place for all who share the connection.
 */
export class Database {
  readonly path: string
  readonly #options: SqliteOptions
  readonly #connect: () => Promise<DatabaseSync>
  readonly #changes: Changes
  readonly #statements = new Map<string, StatementSync>()
  #connection: DatabaseSync
  #writer: GroupCommit
  #checkpoints: Checkpoints
  #inode: number
  #generation = 0
  #lookedAtMs = 0
  #checkpointsEarly = false
  #reopening: Promise<void> | undefined
  #closed = false

  /** `connect` opens the file at `path` again, making it if it is missing. */
  constructor(path: string, connection: DatabaseSync, options: SqliteOptions, connect: () => Promise<DatabaseSync>) {
    this.path = path
    this.#options = options
    this.#connect = connect
    this.#changes = new Changes(path, () => this.#readVersion())
    this.#connection = connection
    this.#writer = this.#makeWriter(connection)
    this.#checkpoints = new Checkpoints(path)
    this.#inode = statSync(path).ino
  }

  /** How often the file was replaced by another one. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Runs `work` in a transaction shared with all other writes of this turn of the event loop, in the order
   * of the calls, and resolves once it is committed. It may run more than once: see {@link GroupCommit}.
   */
  write<T>(work: () => T): Promise<T> {
    return this.#isInPlace(this.#writer.isIdle ? 0 : LOOK_AT_FILE_MS) ? this.#writer.write(work) : this.#reopen().then(() => this.#writer.write(work))
  }

  /** Runs `work`, which only reads. It is tried again when the database is busy, which is rare for a reader. */
  async read<T>(work: () => T): Promise<T> {
    if (!this.#isInPlace()) await this.#reopen()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || attempt === 100) throw toOperationalError(error, this.path)
        await new Promise((resolve) => setTimeout(resolve, attempt))
      }
    }
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  /** Runs a statement that changes rows; how many it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Inserts one row; its row id. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid)
  }

  /** Inside a write: tells everyone who listens, in every process, once it is committed. */
  announce(concern: Concern): void {
    this.#changes.mark(concern)
  }

  /** Calls `listener` whenever the concern may have changed, by this or another process; returns what ends it. */
  listen(concern: Concern, listener: () => void, options?: { keepAlive?: boolean }): () => void {
    return this.#changes.listen(concern, listener, options?.keepAlive ?? false)
  }

  /** From now on this process tidies the write-ahead log early, so that those who only publish need not. */
  checkpointEarly(): void {
    this.#checkpointsEarly = true
    this.#checkpoints.early()
  }

  /** Ends the connection once everything asked for is written. Called by whoever shares it out. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#reopening?.catch(() => {})
    await this.#writer.drained()
    this.#changes.close()
    await this.#checkpoints.close()
    this.#statements.clear()
    this.#connection.close()
  }

  #makeWriter(connection: DatabaseSync): GroupCommit {
    return new GroupCommit(connection, {
      path: this.path,
      timeoutMs: this.#options.connectionTimeoutMs,
      onCommit: (count) => {
        this.#checkpoints.afterCommit(count)
        this.#changes.announce()
      },
    })
  }

  #isInPlace(maxAgeMs: number = LOOK_AT_FILE_MS): boolean {
    const nowMs = performance.now()
    if (this.#closed || nowMs - this.#lookedAtMs < maxAgeMs) return true
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode) return false
    this.#lookedAtMs = nowMs
    return true
  }

  /** Asked now and then by those who listen, so that a deleted file is noticed when nobody reads or writes. */
  #readVersion(): number | undefined {
    // Those who listen are told of a failure too: they meet it with their next read.
    if (!this.#isInPlace()) this.#reopen().catch(() => this.#changes.notifyAll())
    return this.get<{ data_version: number }>('PRAGMA data_version')?.data_version
  }

  #reopen(): Promise<void> {
    this.#reopening ??= this.#replaceConnection().finally(() => (this.#reopening = undefined))
    return this.#reopening
  }

  async #replaceConnection(): Promise<void> {
    const connection = await this.#connect()
    // What was asked for before uses the connection of its writer.
    await this.#writer.drained()
    const [oldConnection, oldCheckpoints] = [this.#connection, this.#checkpoints]
    this.#connection = connection
    this.#statements.clear()
    this.#writer = this.#makeWriter(connection)
    this.#checkpoints = new Checkpoints(this.path)
    if (this.#checkpointsEarly) this.#checkpoints.early()
    this.#inode = statSync(this.path, { throwIfNoEntry: false })?.ino ?? 0
    this.#generation += 1
    await oldCheckpoints.close()
    oldConnection.close()
    this.#options.logger.warn({ path: this.path }, 'The database was deleted or replaced while it was open, what is there now is used')
    this.#changes.reopen()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)))
    return statement
  }
}

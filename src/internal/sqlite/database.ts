import { statSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { OperationalError } from '../../errors.ts'
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

/** How often it is looked whether the file is still the one that was opened. */
const LOOK_AT_FILE_MS = 1000

/**
 * This process's one connection to a database file, for the broker and the result backend together.
 *
 * Reads are synchronous and never wait; writes go through {@link GroupCommit}.
 */
export class Database {
  readonly path: string
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #writer: GroupCommit
  readonly #changes: Changes
  readonly #checkpoints: Checkpoints
  readonly #inode: number
  #lookedAtMs = 0

  constructor(path: string, connection: DatabaseSync, options: SqliteOptions) {
    this.path = path
    this.#connection = connection
    this.#inode = statSync(path).ino
    this.#changes = new Changes(path, () => this.get<{ data_version: number }>('PRAGMA data_version')?.data_version)
    this.#checkpoints = new Checkpoints(path)
    this.#writer = new GroupCommit(connection, {
      path,
      timeoutMs: options.connectionTimeoutMs,
      onCommit: (count) => {
        this.#checkpoints.afterCommit(count)
        this.#changes.announce()
      },
    })
  }

  /**
   * Runs `work` in a transaction shared with all other writes of this turn of the event loop, in the order
   * of the calls, and resolves once it is committed. It may run more than once: see {@link GroupCommit}.
   */
  write<T>(work: () => T): Promise<T> {
    return this.#isInPlace() ? this.#writer.write(work) : Promise.reject(this.#removedError())
  }

  /** Runs `work`, which only reads. It is tried again when the database is busy, which is rare for a reader. */
  async read<T>(work: () => T): Promise<T> {
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
    this.#checkpoints.early()
  }

  /** Ends the connection once everything asked for is written. Called by whoever shares it out. */
  async close(): Promise<void> {
    await this.#writer.drained()
    this.#changes.close()
    await this.#checkpoints.close()
    this.#statements.clear()
    this.#connection.close()
  }

  /** A file that was deleted or replaced can still be written, but nobody else would ever see it. */
  #isInPlace(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#lookedAtMs < LOOK_AT_FILE_MS) return true
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.#inode) return false
    this.#lookedAtMs = nowMs
    return true
  }

  #removedError(): OperationalError {
    return new OperationalError(`The database "${this.path}" was deleted or replaced while it was open. Restart the processes that use it.`)
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)))
    return statement
  }
}

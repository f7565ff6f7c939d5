import type { ResultBackend, StoredResult } from '../backend.ts'
import type { Timer } from '../internal/clock.ts'
import { Opened } from '../internal/opened.ts'
import type { Database, SqliteOptions } from '../internal/sqlite/database.ts'
import { openDatabase, type DatabaseHandle } from '../internal/sqlite/open.ts'
import type { JointWrite } from '../joint-write.ts'
import type { State } from '../states.ts'
import { ResultListeners } from './listeners.ts'
import { mayStore } from './store-rule.ts'

/** Rows that are read in one turn of the event loop, and removed in one transaction. */
const READ_AT_ONCE = 500
const REMOVED_AT_ONCE = 500

const CLEANUP_INTERVAL_MS = 3_600_000

const VISIBLE = '(expires_at IS NULL OR expires_at > ?)'

interface Row {
  readonly id: string
  readonly status: State
  readonly expires_at: number | null
  readonly meta: string
}

/** Results in the embedded database, beside the messages. */
export class SqliteBackend implements ResultBackend {
  readonly url: string
  readonly #options: SqliteOptions
  readonly #listeners: ResultListeners
  readonly #opened: Opened<DatabaseHandle>
  #stopListening: (() => void) | undefined
  #cleanupTimer: Timer | undefined
  /** The last row that was looked at for those who wait. */
  #last = 0
  #reading = false

  constructor(url: string, options: SqliteOptions) {
    this.url = url
    this.#options = options
    this.#listeners = new ResultListeners(options.logger)
    this.#opened = new Opened({ name: `The result backend "${url}"`, open: () => this.#open(), close: (handle) => this.#close(handle) })
  }

  connect(): Promise<void> {
    return this.#opened.connect()
  }

  async store(record: StoredResult, { onlyOver }: { onlyOver?: readonly State[] } = {}): Promise<boolean> {
    const database = this.#opened.get().database
    return database.write(() => this.#put(database, record, onlyOver))
  }

  jointWrite(record: StoredResult): JointWrite {
    const database = this.#opened.get().database
    return { storage: database, make: () => void this.#put(database, record) }
  }

  async get(id: string): Promise<StoredResult | undefined> {
    const database = this.#opened.get().database
    return database.read(() => this.#find(database, id))
  }

  async getMany(ids: readonly string[]): Promise<StoredResult[]> {
    const database = this.#opened.get().database
    const records: StoredResult[] = []
    for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
      if (from > 0) await new Promise((resolve) => setImmediate(resolve))
      const part = ids.slice(from, from + READ_AT_ONCE)
      records.push(...(await database.read(() => part.map((id) => this.#find(database, id)).filter((record) => record !== undefined))))
    }
    return records
  }

  subscribe(id: string, listener: (record: StoredResult) => void): () => void {
    const database = this.#opened.get().database
    if (this.#listeners.isEmpty) {
      this.#last = this.#latest(database)
      this.#stopListening = database.listen('results', () => this.#readNew(), { keepAlive: true })
    }
    const remove = this.#listeners.add(id, listener)
    return () => {
      remove()
      if (this.#listeners.isEmpty) this.#stopListening?.()
    }
  }

  async forget(id: string): Promise<void> {
    const database = this.#opened.get().database
    await database.write(() => database.run('DELETE FROM result WHERE id = ?', id))
  }

  async saveGroup(id: string, text: string, expiresAtMs: number | undefined): Promise<void> {
    const database = this.#opened.get().database
    await database.write(() => database.run('INSERT OR REPLACE INTO result_group (id, expires_at, meta) VALUES (?, ?, ?)', id, expiresAtMs ?? null, text))
  }

  async getGroup(id: string): Promise<string | undefined> {
    const database = this.#opened.get().database
    const now = this.#options.clock.now()
    return database.read(() => database.get<{ meta: string }>(`SELECT meta FROM result_group WHERE id = ? AND ${VISIBLE}`, id, now)?.meta)
  }

  async deleteGroup(id: string): Promise<void> {
    const database = this.#opened.get().database
    await database.write(() => database.run('DELETE FROM result_group WHERE id = ?', id))
  }

  async cleanup(): Promise<number> {
    const database = this.#opened.get().database
    const removeSome = (table: 'result' | 'result_group'): number =>
      database.run(`DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE expires_at <= ? LIMIT ${REMOVED_AT_ONCE})`, this.#options.clock.now())
    for (let total = 0; ; ) {
      const count = await database.write(() => removeSome('result') + removeSome('result_group'))
      total += count
      if (count < REMOVED_AT_ONCE) return total
    }
  }

  close(): Promise<void> {
    return this.#opened.close()
  }

  async #open(): Promise<DatabaseHandle> {
    const handle = await openDatabase(this.url, this.#options)
    this.#last = await handle.database.read(() => this.#latestNow(handle.database))
    this.#scheduleCleanup()
    return handle
  }

  async #close(handle: DatabaseHandle): Promise<void> {
    this.#cleanupTimer?.cancel()
    this.#stopListening?.()
    this.#listeners.clear()
    await handle.release()
  }

  /** Inside a write: stores the record unless what is stored forbids it; whether it did. */
  #put(database: Database, { taskId, status, text, expiresAtMs }: StoredResult, onlyOver?: readonly State[]): boolean {
    const values = [taskId, status, expiresAtMs ?? null, text]
    // Nearly always nothing is stored yet: then one statement looks and writes.
    if (mayStore(undefined, status, onlyOver) && database.run('INSERT INTO result (id, status, expires_at, meta) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', ...values) > 0) {
      database.announce('results')
      return true
    }
    const stored = database.get<{ status: State }>(`SELECT status FROM result WHERE id = ? AND ${VISIBLE}`, taskId, this.#options.clock.now())
    if (!mayStore(stored?.status, status, onlyOver)) return false
    // Replaced rather than updated: the new row gets a new number, and that is how those who wait find it.
    database.run('INSERT OR REPLACE INTO result (id, status, expires_at, meta) VALUES (?, ?, ?, ?)', ...values)
    database.announce('results')
    return true
  }

  #find(database: Database, id: string): StoredResult | undefined {
    const row = database.get<Row>(`SELECT id, status, expires_at, meta FROM result WHERE id = ? AND ${VISIBLE}`, id, this.#options.clock.now())
    return row === undefined ? undefined : toRecord(row)
  }

  #latest(database: Database): number {
    try {
      return this.#latestNow(database)
    } catch {
      // Busy for a moment: then everything since the last look is looked at, which misses nothing.
      return this.#last
    }
  }

  #latestNow(database: Database): number {
    return database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'result'")?.seq ?? 0
  }

  /** Hands what was stored since the last look to those who wait for it; others' results cost only a look at their id. */
  #readNew(): void {
    if (this.#opened.isClosing || this.#reading || this.#listeners.isEmpty) return
    try {
      const { database } = this.#opened.get()
      const rows = database.all<{ seq: number; id: string }>('SELECT seq, id FROM result WHERE seq > ? ORDER BY seq LIMIT ?', this.#last, READ_AT_ONCE)
      for (const { seq, id } of rows) {
        const record = this.#listeners.has(id) ? this.#find(database, id) : undefined
        this.#last = seq
        if (record !== undefined) this.#listeners.tell(record)
      }
      if (rows.length === READ_AT_ONCE) this.#readMoreSoon()
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'Results could not be read yet')
      this.#readMoreSoon()
    }
  }

  #readMoreSoon(): void {
    this.#reading = true
    setTimeout(() => {
      this.#reading = false
      this.#readNew()
    }, 0)
  }

  #scheduleCleanup(): void {
    this.#cleanupTimer = this.#options.clock.after(CLEANUP_INTERVAL_MS * (0.5 + Math.random()), () => {
      this.cleanup()
        .catch((error: unknown) => this.#options.logger.warn({ err: error }, 'Expired results could not be removed yet'))
        .finally(() => this.#opened.isClosing || this.#scheduleCleanup())
    })
  }
}

function toRecord({ id, status, expires_at, meta }: Row): StoredResult {
  return { taskId: id, status, text: meta, expiresAtMs: expires_at ?? undefined }
}

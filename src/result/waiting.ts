import type { StoredResult } from '../backend.ts'
import type { ResultSource } from './source.ts'
import { isReady } from './waitable.ts'

/** What was stored for a task while it was being sent is looked for after this, at the latest. */
const LOOK_AFTER_MS = 50

/** How many records are read in one go, so that a large pool does not hold up the event loop. */
const READ_AT_ONCE = 500

/** One that is told what becomes of a task. Neither method may throw. */
export interface Watcher {
  /** Gets the current record first, undefined when nothing is stored, then each later one; nothing follows a ready one. */
  seen(record: StoredResult | undefined): void
  /** The store could not be reached; nothing more comes. */
  failed(error: unknown): void
}

/**
 * The tasks that somebody in this process waits for: one entry each, however many wait for it.
 *
 * An entry goes when its task is ready, when its last watcher leaves, or when its store fails. Nothing here
 * polls. Tasks that begin to be watched in one turn of the event loop are read together.
 */
export class WaitingTable {
  readonly #source: ResultSource
  readonly #entries = new Map<string, Entry>()
  #unread: Entry[] = []
  /** Were being sent when they were first waited for; not looked for yet. */
  readonly #expected: Entry[] = []
  #reading = false

  constructor(source: ResultSource) {
    this.#source = source
  }

  /** How many tasks are waited for. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Tells `watcher` about a task until it is ready. Returns the function that ends it; a second call does nothing.
   *
   * `when` it is `new`, it is just being sent, and nothing can be stored for it yet; `now` does not wait until it is time to look for it.
   */
  watch(id: string, watcher: Watcher, when?: 'new' | 'now'): () => void {
    let entry = this.#entries.get(id)
    if (!entry) {
      entry = { id, isNew: when === 'new', isExpected: false, watchers: new Set(), unsubscribe: undefined, latest: undefined, known: false, ended: false }
      this.#entries.set(id, entry)
      this.#readSoon(entry)
    } else if (entry.known) {
      watcher.seen(entry.latest)
    } else if (when === 'now') {
      entry.isNew = false
      if (entry.isExpected) this.#readSoon(entry)
    }

    const { watchers } = entry
    watchers.add(watcher)
    return () => {
      if (watchers.delete(watcher) && watchers.size === 0) this.#end(entry)
    }
  }

  /** Rejects every wait with `error`. For the application, when it closes. */
  failAll(error: unknown): void {
    this.#fail([...this.#entries.values()], error)
  }

  #readSoon(entry: Entry): void {
    this.#unread.push(entry)
    if (this.#reading) return
    this.#reading = true
    void this.#readNew()
  }

  async #readNew(): Promise<void> {
    const fault = await this.#source.connected().then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    const entries = this.#unread
    this.#unread = []
    this.#reading = false
    if (fault) return this.#fail(entries, fault.error)

    for (let start = 0; start < entries.length; start += READ_AT_ONCE) {
      try {
        await this.#read(entries.slice(start, start + READ_AT_ONCE))
      } catch (error) {
        return this.#fail(entries.slice(start), error)
      }
    }
  }

  /** Subscribes before it reads: a record stored in between is pushed, one stored before is read. */
  async #read(entries: readonly Entry[]): Promise<void> {
    const live = entries.filter((entry) => !entry.ended && !this.#expect(entry))
    if (live.length === 0) return
    const { backend } = this.#source
    for (const entry of live) this.#listen(entry, backend.subscribe(entry.id, (record) => this.#tell(entry, record)))

    const records = await readRecords(this.#source, live.map((entry) => entry.id))
    for (const entry of live) {
      const record = records.get(entry.id)
      // A push that came while the read was under way is newer than what was read, unless the task ended meanwhile.
      if (!entry.known || isReady(record)) this.#tell(entry, record)
    }
  }

  /** Takes it for granted that nothing is stored for a task that is being sent. Most have ended when it is time to look. */
  #expect(entry: Entry): boolean {
    const { backend, clock } = this.#source
    entry.isExpected = entry.isNew && backend.expect !== undefined
    if (!entry.isExpected) return false
    entry.isNew = false
    this.#listen(entry, backend.expect?.(entry.id, (record) => this.#tell(entry, record)))
    if (this.#expected.push(entry) === 1) clock.after(LOOK_AFTER_MS, () => this.#look())
    return true
  }

  #look(): void {
    for (const entry of this.#expected.splice(0)) if (!entry.ended && entry.isExpected) this.#readSoon(entry)
  }

  #listen(entry: Entry, unsubscribe: (() => void) | undefined): void {
    entry.unsubscribe?.()
    entry.unsubscribe = unsubscribe
    if (entry.ended) unsubscribe?.()
  }

  #tell(entry: Entry, record: StoredResult | undefined): void {
    if (entry.ended) return
    entry.latest = record
    entry.known = true
    if (isReady(record)) this.#end(entry)
    for (const watcher of entry.watchers) watcher.seen(record)
  }

  #fail(entries: readonly Entry[], error: unknown): void {
    for (const entry of entries) {
      if (entry.ended) continue
      this.#end(entry)
      for (const watcher of entry.watchers) watcher.failed(error)
    }
  }

  #end(entry: Entry): void {
    if (entry.ended) return
    entry.ended = true
    this.#entries.delete(entry.id)
    entry.unsubscribe?.()
  }
}

/** The one table of a source. */
export function waitingTable(source: ResultSource): WaitingTable {
  let table = tables.get(source)
  if (!table) {
    table = new WaitingTable(source)
    tables.set(source, table)
  }
  return table
}

/** Reads the stored records among `ids`, by id. The store must be open. */
export async function readRecords(source: ResultSource, ids: readonly string[]): Promise<Map<string, StoredResult>> {
  const records = new Map<string, StoredResult>()
  const [first] = ids
  if (ids.length === 1 && first !== undefined) {
    const record = await source.backend.get(first)
    if (record) records.set(first, record)
    return records
  }
  for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
    const found = await source.backend.getMany(ids.slice(start, start + READ_AT_ONCE))
    for (const record of found) records.set(record.taskId, record)
  }
  return records
}

const tables = new WeakMap<ResultSource, WaitingTable>()

interface Entry {
  readonly id: string
  /** It is being sent. */
  isNew: boolean
  /** What was stored for it so far is yet to be looked for. */
  isExpected: boolean
  readonly watchers: Set<Watcher>
  unsubscribe: (() => void) | undefined
  latest: StoredResult | undefined
  /** Whether `latest` says anything yet: it was read or pushed. */
  known: boolean
  ended: boolean
}

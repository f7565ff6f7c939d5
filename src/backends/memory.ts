import type { ResultBackend, StoredResult } from '../backend.ts'
import { ClosedError, OperationalError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { State } from '../states.ts'
import { ResultListeners } from './listeners.ts'
import { mayStore } from './store-rule.ts'

/** Options of {@link MemoryBackend}. */
export interface MemoryBackendOptions {
  readonly clock: Clock
  readonly logger: Logger
}

interface Group {
  readonly text: string
  readonly expiresAtMs: number | undefined
}

/** What all backends of one `memory:` URL share. */
interface Store {
  readonly results: Map<string, StoredResult>
  readonly groups: Map<string, Group>
  readonly users: Set<(record: StoredResult) => void>
}

const storesByUrl = new Map<string, Store>()

/** Results inside this process, shared by all that name the same URL: for tests and for running tasks at once. */
export class MemoryBackend implements ResultBackend {
  readonly url: string
  readonly #options: MemoryBackendOptions
  readonly #listeners: ResultListeners
  readonly #tell = (record: StoredResult): void => this.#listeners.tell(record)
  #store: Store | undefined
  #closed = false
  #keepAlive: NodeJS.Timeout | undefined

  constructor(url: string, options: MemoryBackendOptions) {
    this.url = url
    this.#options = options
    this.#listeners = new ResultListeners(options.logger)
  }

  async connect(): Promise<void> {
    if (this.#closed) throw this.#closedError()
    if (this.#store !== undefined) return
    this.#store = storesByUrl.get(this.url) ?? { results: new Map(), groups: new Map(), users: new Set() }
    this.#store.users.add(this.#tell)
    storesByUrl.set(this.url, this.#store)
  }

  async store(record: StoredResult, { onlyOver }: { onlyOver?: readonly State[] } = {}): Promise<boolean> {
    const store = this.#connected()
    if (!mayStore(this.#find(store, record.taskId)?.status, record.status, onlyOver)) return false
    store.results.set(record.taskId, record)
    setImmediate(() => {
      for (const tell of store.users) tell(record)
    })
    return true
  }

  async get(id: string): Promise<StoredResult | undefined> {
    return this.#find(this.#connected(), id)
  }

  async getMany(ids: readonly string[]): Promise<StoredResult[]> {
    const store = this.#connected()
    return ids.map((id) => this.#find(store, id)).filter((record) => record !== undefined)
  }

  subscribe(id: string, listener: (record: StoredResult) => void): () => void {
    this.#connected()
    this.#keepAlive ??= setInterval(() => {}, 2 ** 30)
    const remove = this.#listeners.add(id, listener)
    return () => {
      remove()
      if (this.#listeners.isEmpty) this.#letGo()
    }
  }

  async forget(id: string): Promise<void> {
    this.#connected().results.delete(id)
  }

  async saveGroup(id: string, text: string, expiresAtMs: number | undefined): Promise<void> {
    this.#connected().groups.set(id, { text, expiresAtMs })
  }

  async getGroup(id: string): Promise<string | undefined> {
    const group = this.#connected().groups.get(id)
    return group === undefined || this.#isExpired(group) ? undefined : group.text
  }

  async deleteGroup(id: string): Promise<void> {
    this.#connected().groups.delete(id)
  }

  async cleanup(): Promise<number> {
    const { results, groups } = this.#connected()
    let count = 0
    for (const records of [results, groups]) {
      for (const [id, record] of records) if (this.#isExpired(record) && records.delete(id)) count += 1
    }
    return count
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    this.#letGo()
    this.#store?.users.delete(this.#tell)
    if (this.#store?.users.size === 0) storesByUrl.delete(this.url)
    this.#store = undefined
  }

  #find(store: Store, id: string): StoredResult | undefined {
    const record = store.results.get(id)
    return record === undefined || this.#isExpired(record) ? undefined : record
  }

  #isExpired({ expiresAtMs }: { readonly expiresAtMs?: number | undefined }): boolean {
    return expiresAtMs !== undefined && expiresAtMs <= this.#options.clock.now()
  }

  #letGo(): void {
    clearInterval(this.#keepAlive)
    this.#keepAlive = undefined
  }

  #connected(): Store {
    if (this.#closed) throw this.#closedError()
    if (this.#store === undefined) throw new OperationalError(`The result backend "${this.url}" is not connected. Call connect() first.`)
    return this.#store
  }

  #closedError(): ClosedError {
    return new ClosedError(`The result backend "${this.url}" was closed. Open another one.`)
  }
}

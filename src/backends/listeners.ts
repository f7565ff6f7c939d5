import type { StoredResult } from '../backend.ts'
import type { Logger } from '../internal/logger.ts'

/** Who waits for which result in this process. */
export class ResultListeners {
  readonly #byId = new Map<string, Set<(record: StoredResult) => void>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  /** Adds a listener; the function that takes it away again. */
  add(id: string, listener: (record: StoredResult) => void): () => void {
    // Wrapped, so that one function may be added twice.
    const own = (record: StoredResult): void => listener(record)
    const listeners = this.#byId.get(id) ?? new Set()
    this.#byId.set(id, listeners.add(own))
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#byId.get(id) === listeners) this.#byId.delete(id)
    }
  }

  tell(record: StoredResult): void {
    for (const listener of this.#byId.get(record.taskId) ?? []) {
      try {
        listener(record)
      } catch (error) {
        this.#logger.error({ err: error, task: record.taskId }, 'A listener to results threw')
      }
    }
  }

  clear(): void {
    for (const listeners of this.#byId.values()) listeners.clear()
    this.#byId.clear()
  }
}

import type { JointWrite } from './joint-write.ts'
import type { State } from './states.ts'

/**
 * Where results are kept and handed to those who wait. `test/conformance/backend.ts` holds every driver to
 * these promises.
 *
 * The driver stores the encoded text as it is and never parses it. All methods but `close` reject with
 * `OperationalError` when the store cannot be reached.
 */
export interface ResultBackend {
  /** The URL with its password masked, for people. */
  readonly url: string

  /** Opens the store and this process's one subscription to it. A second call does nothing. */
  connect(): Promise<void>

  /**
   * Stores a state. Resolves when committed, and then everyone subscribed to the id is told.
   *
   * Resolves to false, storing nothing, when the stored state is final (SUCCESS or REVOKED), when a state
   * that is not ready would replace one that is, or when `onlyOver` does not list the stored state
   * (`'PENDING'` stands for nothing stored). The check and the write are one step.
   */
  store(record: StoredResult, options?: { onlyOver?: readonly State[] }): Promise<boolean>

  /**
   * What `store` does, for a broker of the same store to do in a commit of its own. Absent where results are kept in
   * nothing that a broker could share.
   */
  jointWrite?(record: StoredResult): JointWrite

  /** The stored record; undefined when there is none or it has expired. */
  get(id: string): Promise<StoredResult | undefined>

  /** The stored records among `ids`, in no order. */
  getMany(ids: readonly string[]): Promise<StoredResult[]>

  /**
   * Calls `listener` with each record stored for `id` from now on, by any process.
   *
   * Never misses a record stored after the call returns; several quick ones may arrive as the last only.
   * So: subscribe, then `get`. An open subscription keeps the process alive. Returns the function that
   * ends it.
   */
  subscribe(id: string, listener: (record: StoredResult) => void): () => void

  /**
   * `subscribe` for a task that is just being sent, so that there is nothing to `get` yet: what is stored before the store itself
   * knows of the subscription may not be told. So: expect, and a little later subscribe, then `get`. Absent where those two cost nothing.
   */
  expect?(id: string, listener: (record: StoredResult) => void): () => void

  /** Forgets the stored record. */
  forget(id: string): Promise<void>

  /** Stores which tasks form a group; `text` is Celery's group meta. */
  saveGroup(id: string, text: string, expiresAtMs: number | undefined): Promise<void>
  getGroup(id: string): Promise<string | undefined>
  deleteGroup(id: string): Promise<void>

  /** Removes what has expired. Resolves to how many records went. */
  cleanup(): Promise<number>

  /** Ends every subscription, then closes the connection. Safe to call twice. */
  close(): Promise<void>
}

/** A state as it is stored: Celery's result meta, encoded. */
export interface StoredResult {
  readonly taskId: string
  readonly status: State
  /** JSON text of the meta, the very bytes that Celery would read. */
  readonly text: string
  /** Milliseconds since 1970; undefined: never expires. */
  readonly expiresAtMs?: number | undefined
}

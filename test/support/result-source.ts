import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import { mayStore } from '../../src/backends/store-rule.ts'
import type { KnownErrors } from '../../src/protocol/exception.ts'
import type { RevokeRequest, ResultSource } from '../../src/result/source.ts'
import type { State } from '../../src/states.ts'
import { ManualClock } from './manual-clock.ts'

/** A result backend in memory that counts what is asked of it, and lets a test act in the middle of a call. */
export class ObservedBackend implements ResultBackend {
  readonly url = 'observed:'
  readonly records = new Map<string, StoredResult>()
  readonly groups = new Map<string, string>()
  readonly listeners = new Map<string, Set<(record: StoredResult) => void>>()
  /** How many records each read asked for. */
  readonly reads: number[] = []
  /** Runs when somebody has just subscribed. */
  onSubscribe: (id: string) => void = () => {}
  /** Runs when a read has found its records, before it hands them over. */
  onRead: () => Promise<void> | void = () => {}

  get subscriptions(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0)
  }

  async connect(): Promise<void> {}

  async store(record: StoredResult, options: { onlyOver?: readonly State[] } = {}): Promise<boolean> {
    if (!mayStore(this.records.get(record.taskId)?.status, record.status, options.onlyOver)) return false
    this.records.set(record.taskId, record)
    for (const listener of this.listeners.get(record.taskId) ?? []) listener(record)
    return true
  }

  async get(id: string): Promise<StoredResult | undefined> {
    return (await this.getMany([id]))[0]
  }

  async getMany(ids: readonly string[]): Promise<StoredResult[]> {
    this.reads.push(ids.length)
    const found = ids.flatMap((id) => this.records.get(id) ?? [])
    await this.onRead()
    return found
  }

  subscribe(id: string, listener: (record: StoredResult) => void): () => void {
    const listeners = this.listeners.get(id) ?? new Set()
    this.listeners.set(id, listeners.add(listener))
    this.onSubscribe(id)
    return () => void listeners.delete(listener)
  }

  async forget(id: string): Promise<void> {
    this.records.delete(id)
  }

  async saveGroup(id: string, text: string): Promise<void> {
    this.groups.set(id, text)
  }

  async getGroup(id: string): Promise<string | undefined> {
    return this.groups.get(id)
  }

  async deleteGroup(id: string): Promise<void> {
    this.groups.delete(id)
  }

  async cleanup(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {}
}

/** What futures need of an application, without one: a manual clock, and lists of what it was told. */
export class TestSource implements ResultSource {
  readonly backend = new ObservedBackend()
  readonly clock = new ManualClock()
  knownErrors: KnownErrors | undefined
  readonly revoked: { readonly id: string; readonly options: RevokeRequest }[] = []
  readonly reported: unknown[] = []
  explanation: () => Promise<string> = async () => 'nothing consumes queue "celery"; start a worker with "celeriac worker".'
  /** What the workers do when a task is revoked. */
  onRevoke: (id: string, options: RevokeRequest) => void = () => {}
  connected: () => Promise<void> = async () => {}

  async revoke(id: string, options: RevokeRequest): Promise<void> {
    this.revoked.push({ id, options })
    this.onRevoke(id, options)
  }

  decodeResult(_taskId: string, stored: unknown): unknown {
    return stored
  }

  explain(): Promise<string> {
    return this.explanation()
  }

  reportError(error: unknown): void {
    this.reported.push(error)
  }

  readonly expiresAtMs = (): number => this.clock.now() + 86_400_000

  /** Stores a state as a worker does. */
  async put(id: string, status: State, result: unknown = null, more: Record<string, unknown> = {}): Promise<void> {
    const text = JSON.stringify({ status, result, traceback: null, children: [], date_done: null, task_id: id, ...more })
    await this.backend.store({ taskId: id, status, text })
  }
}

/** An error as a worker stores it. */
export function wireError(type: string, message: string, module = 'builtins'): Record<string, unknown> {
  return { exc_type: type, exc_message: [message], exc_module: module }
}

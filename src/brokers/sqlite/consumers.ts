import type { ConsumerInfo } from '../../broker.ts'
import type { Child } from '../../internal/child-processes.ts'
import type { Clock } from '../../internal/clock.ts'
import { isDead, running } from '../../internal/liveness.ts'
import { type ProcessIdentity, thisProcess } from '../../internal/process-identity.ts'
import type { Database } from '../../internal/sqlite/database.ts'

/** A consumer as it is registered. */
export interface ConsumerRow extends ProcessIdentity {
  readonly id: number
  readonly tag: string
  readonly name: string
  readonly queues: string
  readonly lease_until: number
  readonly children: string
}

/** What a consumer says of itself. */
export interface ConsumerRegistration {
  readonly tag: string
  readonly name: string
  readonly queues: readonly string[]
  readonly children: readonly Child[]
}

/** The consumer table: one lease for each consumer, under which all its messages are out. Writers belong inside `database.write`. */
export class Consumers {
  readonly #database: Database
  readonly #clock: Clock
  readonly #leaseMs: number

  constructor(database: Database, clock: Clock, leaseMs: number) {
    this.#database = database
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  /**
   * The owner number of a consumption, registered anew if it is not there any more: its lease had run out and
   * a recoverer noticed. A number is never given twice.
   */
  ensure({ tag, name, queues, children }: ConsumerRegistration): number {
    const there = this.#database.get<{ id: number }>('SELECT id FROM consumer WHERE tag = ?', tag)
    if (there !== undefined) return there.id
    const { machine, host, pid, started } = thisProcess()
    running.add(tag)
    const row = this.#database.get<{ id: number }>(
      'INSERT INTO consumer (tag, name, machine, host, pid, started, queues, lease_until, children) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id',
      tag,
      name,
      machine,
      host,
      pid,
      started,
      JSON.stringify(queues),
      this.#clock.now() + this.#leaseMs,
      JSON.stringify(children),
    )
    return row?.id ?? 0
  }

  renew(owner: number): void {
    this.#database.run('UPDATE consumer SET lease_until = ? WHERE id = ?', this.#clock.now() + this.#leaseMs, owner)
  }

  setChildren(owner: number, children: readonly Child[]): void {
    this.#database.run('UPDATE consumer SET children = ? WHERE id = ?', JSON.stringify(children), owner)
  }

  remove(owner: number): void {
    this.#database.run('DELETE FROM consumer WHERE id = ?', owner)
  }

  /** The consumption has ended, so that its row, should it have stayed, is a dead consumer's. */
  ended(tag: string): void {
    running.delete(tag)
  }

  /** Removes a consumer found dead, unless it has renewed its lease since it was read; whether it was removed. */
  removeIfUnchanged({ id, lease_until }: ConsumerRow): boolean {
    return this.#database.run('DELETE FROM consumer WHERE id = ? AND lease_until = ?', id, lease_until) === 1
  }

  /** Only reads: consumers whose process is gone from this machine, and, if `byLease`, those whose lease ran out. */
  dead(byLease: boolean): ConsumerRow[] {
    return this.#all().filter((row) => this.#isDead(row, byLease))
  }

  /** Only reads: those that are alive. */
  alive(): ConsumerInfo[] {
    return this.#all()
      .filter((row) => !this.#isDead(row, true))
      .map(({ tag, name, host, pid, queues }) => ({ id: tag, name, host, pid, queues: JSON.parse(queues) as string[] }))
  }

  #all(): ConsumerRow[] {
    return this.#database.all<ConsumerRow>('SELECT * FROM consumer ORDER BY id')
  }

  #isDead(row: ConsumerRow, byLease: boolean): boolean {
    return isDead(row.tag, row, byLease && row.lease_until <= this.#clock.now())
  }
}

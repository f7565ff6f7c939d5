import type { Clock } from '../../internal/clock.ts'
import { isLost, type ProcessIdentity, thisProcess } from '../../internal/process-identity.ts'
import type { Database } from '../../internal/sqlite/database.ts'

interface Row extends Omit<ProcessIdentity, 'host'> {
  readonly owner: string
  readonly until: number
}

/** Named leases, each held by one owner at a time. */
export class Leases {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  acquire(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#database.write(() => {
      const held = this.#database.get<Row>('SELECT owner, machine, pid, started, until FROM lease WHERE name = ?', name)
      if (held !== undefined && held.owner !== owner && this.#isValid(held)) return false
      const { machine, pid, started } = thisProcess()
      const until = this.#clock.now() + ttlMs
      this.#database.run('INSERT OR REPLACE INTO lease (name, owner, machine, pid, started, until) VALUES (?, ?, ?, ?, ?, ?)', name, owner, machine, pid, started, until)
      return true
    })
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#database.write(() => this.#database.run('DELETE FROM lease WHERE name = ? AND owner = ?', name, owner))
  }

  #isValid(held: Row): boolean {
    return held.until > this.#clock.now() && !isLost(held)
  }
}

import { isLost, thisProcess } from '../../internal/process-identity.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { ACQUIRE_LEASE, RELEASE_LEASE } from './lua/lease.ts'

/** The server forgets a lease that long after it ended, in case its time is not ours. */
const KEPT_MS = 60_000

/** Named leases, each held by one owner at a time. */
export class Leases {
  readonly #connection: RedisConnection
  readonly #keys: Keys

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  async acquire(name: string, owner: string, ttlMs: number): Promise<boolean> {
    const held = await this.#try(name, owner, ttlMs, '')
    if (held === undefined) return true
    // A dead process of this machine holds nothing.
    return isOfTheDead(held) && (await this.#try(name, owner, ttlMs, held)) === undefined
  }

  async release(name: string, owner: string): Promise<void> {
    await this.#connection.runRepeatable((client) => RELEASE_LEASE.run(client, [this.#keys.lease(name)], [owner]))
  }

  /** What is written in the lease that somebody else holds; undefined when it is the owner's now. */
  async #try(name: string, owner: string, ttlMs: number, mayOverwrite: string): Promise<string | undefined> {
    const { machine, pid, started } = thisProcess()
    const now = this.#connection.now()
    const lease = JSON.stringify({ owner, until_ms: now + ttlMs, machine, pid, started })
    const args = [owner, now, now + ttlMs, lease, Math.ceil(ttlMs) + KEPT_MS, mayOverwrite]
    const held = await this.#connection.runRepeatable((client) => ACQUIRE_LEASE.run(client, [this.#keys.lease(name)], args))
    return typeof held === 'string' ? held : undefined
  }
}

function isOfTheDead(text: string): boolean {
  const { machine, pid, started } = JSON.parse(text) as { machine?: unknown; pid?: unknown; started?: unknown }
  return typeof machine === 'string' && typeof pid === 'number' && isLost({ machine, pid, started: typeof started === 'string' ? started : null })
}

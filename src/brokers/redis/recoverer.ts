import { endChildren } from '../../internal/child-processes.ts'
import type { Clock } from '../../internal/clock.ts'
import { LeaseTrust } from '../../internal/lease-trust.ts'
import type { Logger } from '../../internal/logger.ts'
import { thisProcess } from '../../internal/process-identity.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Patience } from '../../internal/redis/patience.ts'
import { Rounds } from '../../internal/rounds.ts'
import type { Service } from '../../internal/service.ts'
import type { ForeignClaims } from './foreign-claims.ts'
import type { Keys } from './keys.ts'
import type { RegisteredConsumer, Registry } from './registry.ts'
import type { GivenBack, Settlements } from './settlements.ts'

/** Ids that one part of a search looks at. */
const SCANNED_AT_ONCE = 1000

/** What a recoverer is made of. */
export interface RecovererParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly registry: Registry
  readonly settlements: Settlements
  readonly foreign: ForeignClaims
  readonly clock: Clock
  readonly logger: Logger
  readonly leaseMs: number
  readonly patience: Patience
}

/** Puts back the messages of consumers that died, after ending the processes that may still run them, and what foreign workers left. */
export class Recoverer implements Service {
  readonly #parts: RecovererParts
  readonly #leases: LeaseTrust
  readonly #rounds: Rounds
  #hasFailed = false

  constructor(parts: RecovererParts) {
    this.#parts = parts
    this.#leases = new LeaseTrust(parts.clock, parts.leaseMs)
    this.#rounds = new Rounds(parts.clock, () => this.#recover())
  }

  /** Recovers once, then every second. */
  start(): Promise<void> {
    return this.#rounds.start()
  }

  async stop(): Promise<void> {
    const { connection, patience } = this.#parts
    const ended = this.#rounds.stop()
    if (connection.isReady) await patience.wait(ended)
  }

  async #recover(): Promise<void> {
    const { connection, registry, foreign, logger } = this.#parts
    // While the connection is lost its users say so, and nothing could be put back.
    if (!connection.isReady) return
    try {
      const all = await registry.all()
      // After the reply: a server that was away, or answered late, has kept the others from renewing as well.
      const byLease = this.#leases.look()
      for (const consumer of registry.dead(all, byLease)) await this.#recoverFrom(consumer)
      await foreign.sweep(all, byLease)
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed && !this.#rounds.isStopped && connection.isReady) logger.warn({ err: error }, 'Messages of dead consumers could not be put back yet')
      this.#hasFailed ||= connection.isReady
    }
  }

  async #recoverFrom(consumer: RegisteredConsumer): Promise<void> {
    const { registry, settlements, logger } = this.#parts
    // Ended first: otherwise the same task would run twice at once, here and in the child that outlived its worker.
    const mayEnd = consumer.machine === thisProcess().machine && !registry.runsHere(consumer)
    if (mayEnd && !(await endChildren(consumer.children))) {
      logger.warn({ consumer: consumer.name }, 'A child process of a dead worker does not end, its messages stay out until it does')
      return
    }
    if (!(await registry.markDead(consumer))) return
    const count = await settlements.giveBack(await this.#claimsOf(consumer))
    await registry.unregister(consumer.registration)
    logger.info({ consumer: consumer.name, pid: consumer.pid, messages: count }, 'Put back the messages of a consumer that died')
  }

  /** What it has out, with the losses that are written in it. */
  async #claimsOf({ registration }: RegisteredConsumer): Promise<GivenBack[]> {
    const { connection, keys } = this.#parts
    const prefix = `celeriac:${registration}:`
    const claims = new Map<string, GivenBack>()
    let cursor = '0'
    do {
      const command = ['ZSCAN', keys.index, cursor, 'MATCH', `${prefix}*`, 'COUNT', String(SCANNED_AT_ONCE)]
      const [next, found] = (await connection.run((client) => client.sendCommand(command))) as [string, (string | number)[]]
      for (const id of found.map(String)) if (id.startsWith(prefix)) claims.set(id, { id, number: Number(id.slice(prefix.length).split(':')[0]) })
      cursor = String(next)
    } while (cursor !== '0')
    return [...claims.values()]
  }
}

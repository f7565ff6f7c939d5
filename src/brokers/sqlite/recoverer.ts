import { endChildren, type Child } from '../../internal/child-processes.ts'
import type { Clock } from '../../internal/clock.ts'
import { LeaseTrust } from '../../internal/lease-trust.ts'
import type { Logger } from '../../internal/logger.ts'
import { thisProcess } from '../../internal/process-identity.ts'
import { Rounds } from '../../internal/rounds.ts'
import type { Service } from '../../internal/service.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import type { ConsumerRow, Consumers } from './consumers.ts'
import type { Messages } from './messages.ts'

/** Puts back the messages of consumers that died, after ending the processes that may still run them. */
export class Recoverer implements Service {
  readonly #database: Database
  readonly #messages: Messages
  readonly #consumers: Consumers
  readonly #logger: Logger
  readonly #leases: LeaseTrust
  readonly #rounds: Rounds

  constructor(parts: { database: Database; messages: Messages; consumers: Consumers; clock: Clock; logger: Logger; leaseMs: number }) {
    this.#database = parts.database
    this.#messages = parts.messages
    this.#consumers = parts.consumers
    this.#logger = parts.logger
    this.#leases = new LeaseTrust(parts.clock, parts.leaseMs)
    this.#rounds = new Rounds(parts.clock, () => this.#recover())
  }

  /** Recovers once, then every second. */
  start(): Promise<void> {
    return this.#rounds.start()
  }

  stop(): Promise<void> {
    return this.#rounds.stop()
  }

  async #recover(): Promise<void> {
    try {
      const byLease = this.#leases.look()
      const dead = await this.#database.read(() => this.#consumers.dead(byLease))
      for (const consumer of dead) await this.#recoverFrom(consumer)
    } catch (error) {
      this.#logger.warn({ err: error }, 'Messages of dead consumers could not be put back yet')
    }
  }

  async #recoverFrom(consumer: ConsumerRow): Promise<void> {
    // Ended first: otherwise the same task would run twice at once, here and in the child that outlived its worker.
    const ended = consumer.machine !== thisProcess().machine || (await endChildren(JSON.parse(consumer.children) as Child[]))
    if (!ended) {
      this.#logger.warn({ consumer: consumer.name }, 'A child process of a dead worker does not end, its messages stay out until it does')
      return
    }
    const count = await this.#database.write(() => (this.#consumers.removeIfUnchanged(consumer) ? this.#messages.giveBack(consumer.id, true) : undefined))
    if (count !== undefined) this.#logger.info({ consumer: consumer.name, pid: consumer.pid, messages: count }, 'Put back the messages of a consumer that died')
  }
}

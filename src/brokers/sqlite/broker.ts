import type { Broker, BrokerSupports, ConsumeOptions, Consumer, ConsumerInfo, DeadLetter, Publication, QueueDepth, Subscription } from '../../broker.ts'
import { ClosedError, OperationalError } from '../../errors.ts'
import type { Database, SqliteOptions } from '../../internal/sqlite/database.ts'
import { openDatabase, type DatabaseHandle } from '../../internal/sqlite/open.ts'
import { countMessages, listDeadLetters, listQueues } from './census.ts'
import { SqliteConsumer } from './consumer.ts'
import { Consumers } from './consumers.ts'
import { Fanout } from './fanout.ts'
import { Leases } from './leases.ts'
import { Messages, preparePublication } from './messages.ts'
import { Recoverer } from './recoverer.ts'

/** Messages that one transaction of a purge removes. */
const PURGED_AT_ONCE = 1000

/** Options of {@link SqliteBroker}. */
export interface SqliteBrokerOptions extends SqliteOptions {
  /** How long the messages of a consumer that no longer renews its lease stay out. */
  readonly visibilityTimeoutMs: number
  /** Bytes of a body above which a message is put away unread. */
  readonly maxMessageSize: number
}

interface Parts {
  readonly handle: DatabaseHandle
  readonly database: Database
  readonly messages: Messages
  readonly consumers: Consumers
  readonly recoverer: Recoverer
  readonly fanout: Fanout
  readonly leases: Leases
}

/** The embedded broker: a queue in a SQLite file, for any number of processes of one machine. */
export class SqliteBroker implements Broker {
  readonly url: string
  readonly supports: BrokerSupports = { priority: true, parking: true, durable: true }
  readonly #options: SqliteBrokerOptions
  readonly #consumptions = new Set<SqliteConsumer>()
  #connecting: Promise<void> | undefined
  #parts: Parts | undefined
  #recovering: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(url: string, options: SqliteBrokerOptions) {
    this.url = url
    this.#options = options
  }

  connect(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError())
    this.#connecting ??= this.#open().catch((error: unknown) => {
      // A later call tries again.
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    const { database, messages } = this.#connected()
    const prepared = publications.map(preparePublication)
    await database.write(() => messages.insert(prepared))
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { database, messages, consumers, recoverer } = this.#connected()
    const { clock, logger, visibilityTimeoutMs: leaseMs, maxMessageSize } = this.#options
    database.checkpointEarly()
    await (this.#recovering ??= recoverer.start())
    const onClosed = (closed: SqliteConsumer): unknown => this.#consumptions.delete(closed)
    const consumer = new SqliteConsumer({ database, messages, consumers, clock, logger, leaseMs, maxMessageSize, onClosed }, options)
    this.#consumptions.add(consumer)
    try {
      await consumer.start()
    } catch (error) {
      consumers.ended(consumer.id)
      this.#consumptions.delete(consumer)
      throw error
    }
    return consumer
  }

  async consumers(): Promise<ConsumerInfo[]> {
    const { database, consumers } = this.#connected()
    return database.read(() => consumers.alive())
  }

  async depth(queue: string): Promise<QueueDepth> {
    return countMessages(this.#connected().database, queue)
  }

  async queues(): Promise<string[]> {
    return listQueues(this.#connected().database)
  }

  async purge(queue: string): Promise<number> {
    const { database, messages } = this.#connected()
    for (let total = 0; ; ) {
      const count = await database.write(() => messages.purge(queue, PURGED_AT_ONCE))
      total += count
      if (count < PURGED_AT_ONCE) return total
    }
  }

  async deadLetters(options: { queue?: string; limit?: number } = {}): Promise<DeadLetter[]> {
    return listDeadLetters(this.#connected().database, options)
  }

  async broadcast(channel: string, payload: string): Promise<void> {
    await this.#connected().fanout.broadcast(channel, payload)
  }

  async subscribe(channel: string, listener: (payload: string) => void): Promise<Subscription> {
    return this.#connected().fanout.subscribe(channel, listener)
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#connected().leases.acquire(name, owner, ttlMs)
  }

  async releaseLease(name: string, owner: string): Promise<void> {
    await this.#connected().leases.release(name, owner)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #open(): Promise<void> {
    const { clock, logger, visibilityTimeoutMs } = this.#options
    const handle = await openDatabase(this.url, this.#options)
    const { database } = handle
    const messages = new Messages(database, clock)
    const consumers = new Consumers(database, clock, visibilityTimeoutMs)
    const recoverer = new Recoverer({ database, messages, consumers, clock, logger, leaseMs: visibilityTimeoutMs })
    this.#parts = { handle, database, messages, consumers, recoverer, fanout: new Fanout(database, clock, logger), leases: new Leases(database, clock) }
  }

  async #close(): Promise<void> {
    await this.#connecting?.catch(() => {})
    if (this.#parts === undefined) return
    const { handle, recoverer, fanout } = this.#parts
    await Promise.all([...this.#consumptions].map((consumer) => consumer.close()))
    await recoverer.stop()
    fanout.close()
    this.#parts = undefined
    await handle.release()
  }

  #connected(): Parts {
    if (this.#closing !== undefined) throw this.#closedError()
    if (this.#parts === undefined) throw new OperationalError(`The broker "${this.url}" is not connected. Call connect() first.`)
    return this.#parts
  }

  #closedError(): ClosedError {
    return new ClosedError(`The broker "${this.url}" was closed. Open another one.`)
  }
}

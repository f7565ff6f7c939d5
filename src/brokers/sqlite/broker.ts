import type { Broker, BrokerSupports, ConsumeOptions, Consumer, ConsumerInfo, DeadLetter, Publication, QueueDepth, Subscription } from '../../broker.ts'
import { Opened } from '../../internal/opened.ts'
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
  readonly supports: BrokerSupports = { priority: true, parking: true, durable: true, foreignWorkers: false }
  readonly #options: SqliteBrokerOptions
  readonly #consumptions = new Set<SqliteConsumer>()
  readonly #opened: Opened<Parts>
  #recovering: Promise<void> | undefined

  constructor(url: string, options: SqliteBrokerOptions) {
    this.url = url
    this.#options = options
    this.#opened = new Opened({ name: `The broker "${url}"`, open: () => this.#open(), close: (parts) => this.#close(parts) })
  }

  get storage(): Database {
    return this.#opened.get().database
  }

  connect(): Promise<void> {
    return this.#opened.connect()
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    const { database, messages } = this.#opened.get()
    const prepared = publications.map(preparePublication)
    await database.write(() => messages.insert(prepared))
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { database, messages, consumers, recoverer } = this.#opened.get()
    const { clock, logger, visibilityTimeoutMs: leaseMs, maxMessageSize } = this.#options
    database.checkpointEarly()
    await (this.#recovering ??= recoverer.start())
    // It may have been closed meanwhile, and would know nothing of this consumer.
    this.#opened.get()
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
    if (this.#opened.isClosing) await consumer.close()
    this.#opened.get()
    return consumer
  }

  async consumers(): Promise<ConsumerInfo[]> {
    const { database, consumers } = this.#opened.get()
    return database.read(() => consumers.alive())
  }

  async depth(queue: string): Promise<QueueDepth> {
    return countMessages(this.#opened.get().database, queue)
  }

  async queues(): Promise<string[]> {
    return listQueues(this.#opened.get().database)
  }

  async purge(queue: string): Promise<number> {
    const { database, messages } = this.#opened.get()
    for (let total = 0; ; ) {
      const count = await database.write(() => messages.purge(queue, PURGED_AT_ONCE))
      total += count
      if (count < PURGED_AT_ONCE) return total
    }
  }

  async deadLetters(options: { queue?: string; limit?: number } = {}): Promise<DeadLetter[]> {
    return listDeadLetters(this.#opened.get().database, options)
  }

  async broadcast(channel: string, payload: string): Promise<void> {
    await this.#opened.get().fanout.broadcast(channel, payload)
  }

  async subscribe(channel: string, listener: (payload: string) => void): Promise<Subscription> {
    return this.#opened.get().fanout.subscribe(channel, listener)
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#opened.get().leases.acquire(name, owner, ttlMs)
  }

  async releaseLease(name: string, owner: string): Promise<void> {
    await this.#opened.get().leases.release(name, owner)
  }

  close(): Promise<void> {
    return this.#opened.close()
  }

  async #open(): Promise<Parts> {
    const { clock, logger, visibilityTimeoutMs } = this.#options
    const handle = await openDatabase(this.url, this.#options)
    const { database } = handle
    const messages = new Messages(database, clock)
    const consumers = new Consumers(database, clock, visibilityTimeoutMs)
    const recoverer = new Recoverer({ database, messages, consumers, clock, logger, leaseMs: visibilityTimeoutMs })
    return { handle, database, messages, consumers, recoverer, fanout: new Fanout(database, clock, logger), leases: new Leases(database, clock) }
  }

  async #close({ handle, recoverer, fanout }: Parts): Promise<void> {
    await Promise.all([...this.#consumptions].map((consumer) => consumer.close()))
    await recoverer.stop()
    fanout.close()
    await handle.release()
  }
}

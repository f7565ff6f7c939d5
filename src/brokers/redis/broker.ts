import type { Broker, BrokerSupports, ConsumeOptions, Consumer, ConsumerInfo, DeadLetter, Publication, QueueDepth, Subscription } from '../../broker.ts'
import { maskUrl } from '../../config/url.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import { Opened } from '../../internal/opened.ts'
import { parseRedisUrl, type RedisAddress } from '../../internal/redis/address.ts'
import { RedisConnection, type RedisConnectionOptions } from '../../internal/redis/connection.ts'
import { Patience } from '../../internal/redis/patience.ts'
import { RedisSubscriber } from '../../internal/redis/subscriber.ts'
import { Census } from './census.ts'
import { RedisConsumer } from './consumer.ts'
import { Fanout } from './fanout.ts'
import { ForeignClaims } from './foreign-claims.ts'
import { DEFAULT_LAYOUT, Keys, type RedisLayout } from './keys.ts'
import { Leases } from './leases.ts'
import { Publisher } from './publisher.ts'
import { Recoverer } from './recoverer.ts'
import { Registry } from './registry.ts'
import { Settlements } from './settlements.ts'

/** Kombu's default: an hour. */
const FOREIGN_TIMEOUT_MS = 3_600_000

/** Options of {@link RedisBroker}. */
export interface RedisBrokerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** How long a call is tried before it rejects. */
  readonly connectionTimeoutMs: number
  /** How long the messages of a consumer that no longer renews its lease stay out. */
  readonly visibilityTimeoutMs: number
  /** The same for those of foreign workers, which never renew. Default: an hour, as with kombu. */
  readonly foreignVisibilityTimeoutMs?: number | undefined
  /** Bytes of a body above which a message is put away unread. */
  readonly maxMessageSize: number
  readonly redis?: RedisBrokerSettings | undefined
}

/** What the configuration says besides the URL. */
export interface RedisBrokerSettings extends Partial<RedisLayout> {
  /** Default: what the URL says. */
  readonly address?: RedisAddress
  /** How the connections are made and watched. */
  readonly connection?: Partial<RedisConnectionOptions>
}

interface Parts {
  readonly connection: RedisConnection
  readonly subscriber: RedisSubscriber
  readonly keys: Keys
  readonly publisher: Publisher
  readonly registry: Registry
  readonly settlements: Settlements
  readonly recoverer: Recoverer
  readonly fanout: Fanout
  readonly leases: Leases
  readonly census: Census
  readonly patience: Patience
}

/** Queues in Redis, where and as kombu keeps them: Python workers and senders may use the same ones. */
export class RedisBroker implements Broker {
  readonly url: string
  readonly supports: BrokerSupports = { priority: true, parking: true, durable: true, foreignWorkers: true }
  readonly #options: RedisBrokerOptions
  readonly #address: RedisAddress
  readonly #consumptions = new Set<RedisConsumer>()
  /** Consumers that claim, and so keep the process alive. */
  readonly #active = new Set<RedisConsumer>()
  readonly #opened: Opened<Parts>
  #recovering: Promise<void> | undefined

  constructor(url: string, options: RedisBrokerOptions) {
    this.url = maskUrl(url)
    this.#options = options
    this.#address = options.redis?.address ?? parseRedisUrl(url)
    this.#opened = new Opened({ name: `The broker "${this.url}"`, open: () => this.#open(), close: (parts) => this.#close(parts) })
  }

  connect(): Promise<void> {
    return this.#opened.connect()
  }

  /** Not async: the calls of one turn share the publisher's promise, so that each costs none. */
  publish(publications: readonly Publication[]): Promise<void> {
    try {
      return this.#opened.get().publisher.publish(publications)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const { connection, registry, recoverer, ...parts } = this.#opened.get()
    for (const queue of options.queues) parts.keys.checkQueue(queue)
    const { clock, logger, visibilityTimeoutMs: leaseMs, maxMessageSize } = this.#options
    await (this.#recovering ??= recoverer.start())
    // It may have been closed meanwhile, and would know nothing of this consumer.
    this.#opened.get()
    const onPaused = (paused: RedisConsumer): void => {
      if (this.#active.delete(paused) && this.#active.size === 0) connection.unref()
    }
    const onClosed = (closed: RedisConsumer): unknown => this.#consumptions.delete(closed)
    const consumer = new RedisConsumer({ ...parts, connection, registry, clock, logger, leaseMs, maxMessageSize, onPaused, onClosed }, options)
    this.#consumptions.add(consumer)
    this.#active.add(consumer)
    connection.ref()
    try {
      await consumer.start()
    } catch (error) {
      onPaused(consumer)
      registry.ended(consumer.id)
      this.#consumptions.delete(consumer)
      throw error
    }
    if (this.#opened.isClosing) await consumer.close()
    this.#opened.get()
    return consumer
  }

  async consumers(): Promise<ConsumerInfo[]> {
    return this.#opened.get().registry.alive()
  }

  async depth(queue: string): Promise<QueueDepth> {
    return this.#opened.get().census.depth(queue)
  }

  async queues(): Promise<string[]> {
    return this.#opened.get().census.queues()
  }

  async purge(queue: string): Promise<number> {
    const { census, connection, keys, publisher } = this.#opened.get()
    keys.checkQueue(queue)
    const count = await census.purge(queue)
    publisher.forgetDeclared()
    // The server watches none of these keys any more for us.
    connection.invalidate(null)
    return count
  }

  async deadLetters(options: { queue?: string; limit?: number } = {}): Promise<DeadLetter[]> {
    return this.#opened.get().census.deadLetters(options)
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
    const { clock, logger, connectionTimeoutMs, visibilityTimeoutMs: leaseMs, foreignVisibilityTimeoutMs = FOREIGN_TIMEOUT_MS, redis } = this.#options
    const address = this.#address
    const connectionOptions = { ...redis?.connection, name: `The broker "${this.url}"`, address, connectionTimeoutMs, clock, logger }
    const connection = new RedisConnection({ ...connectionOptions, tracking: true })
    try {
      await connection.connect()
    } catch (error) {
      await connection.close()
      throw error
    }
    const subscriber = new RedisSubscriber(connectionOptions)
    const keys = new Keys({ ...DEFAULT_LAYOUT, ...redis }, address.database)
    const patience = new Patience(connectionTimeoutMs)
    const shared = { connection, subscriber, keys, clock, logger, leaseMs, patience }
    const registry = new Registry(connection, keys, leaseMs)
    const settlements = new Settlements(connection, keys)
    const foreign = new ForeignClaims(shared, { timeoutMs: foreignVisibilityTimeoutMs, leaseMs })
    return {
      connection,
      subscriber,
      keys,
      publisher: new Publisher(connection, keys),
      registry,
      settlements,
      recoverer: new Recoverer({ ...shared, registry, settlements, foreign }),
      fanout: new Fanout(shared),
      leases: new Leases(connection, keys),
      census: new Census(connection, keys),
      patience,
    }
  }

  async #close({ connection, subscriber, recoverer, patience }: Parts): Promise<void> {
    await Promise.all([recoverer.stop(), ...[...this.#consumptions].map((consumer) => consumer.close())])
    const { leftMs } = patience
    await Promise.all([subscriber.close(leftMs), connection.close(leftMs)])
  }
}

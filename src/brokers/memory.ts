import type { Broker, BrokerSupports, ConsumeOptions, Consumer, ConsumerInfo, DeadLetter, Publication, QueueDepth, Subscription } from '../broker.ts'
import { ClosedError, OperationalError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import { MemoryConsumer } from './memory-consumer.ts'
import { leaveMemoryStore, useMemoryStore, type MemoryStore } from './memory-store.ts'

/** Options of {@link MemoryBroker}. */
export interface MemoryBrokerOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Bytes of a body above which a message is put away undelivered. */
  readonly maxMessageSize: number
}

/** A broker inside this process, shared by all that name the same URL: for tests and for running tasks at once. */
export class MemoryBroker implements Broker {
  readonly url: string
  readonly supports: BrokerSupports = { priority: true, parking: true, durable: false, foreignWorkers: false }
  readonly #options: MemoryBrokerOptions
  readonly #consumers = new Set<MemoryConsumer>()
  readonly #subscriptions = new Set<Subscription>()
  #store: MemoryStore | undefined
  #closed = false

  constructor(url: string, options: MemoryBrokerOptions) {
    this.url = url
    this.#options = options
  }

  async connect(): Promise<void> {
    if (this.#closed) throw this.#closedError()
    this.#store ??= useMemoryStore(this.url)
  }

  async publish(publications: readonly Publication[]): Promise<void> {
    this.#connected().publish(publications, this.#options.clock.now())
  }

  async consume(options: ConsumeOptions): Promise<Consumer> {
    const consumer = new MemoryConsumer({ store: this.#connected(), ...this.#options }, options)
    this.#consumers.add(consumer)
    consumer.start()
    return consumer
  }

  async consumers(): Promise<ConsumerInfo[]> {
    return [...this.#connected().consumers.values()]
  }

  async depth(queue: string): Promise<QueueDepth> {
    return this.#connected().depth(queue)
  }

  async queues(): Promise<string[]> {
    return this.#connected().queues()
  }

  async purge(queue: string): Promise<number> {
    return this.#connected().purge(queue)
  }

  async deadLetters({ queue, limit = 100 }: { queue?: string; limit?: number } = {}): Promise<DeadLetter[]> {
    const letters = this.#connected().dead.filter((letter) => queue === undefined || letter.queue === queue)
    return letters.reverse().slice(0, limit)
  }

  async broadcast(channel: string, payload: string): Promise<void> {
    const listeners = [...(this.#connected().listeners.get(channel) ?? [])]
    setImmediate(() => {
      for (const listener of listeners) if (this.#store?.listeners.get(channel)?.has(listener)) this.#call(() => listener(payload))
    })
  }

  async subscribe(channel: string, listener: (payload: string) => void): Promise<Subscription> {
    const { listeners } = this.#connected()
    // Wrapped, so that one function may be subscribed twice.
    const own = (payload: string): void => listener(payload)
    const others = listeners.get(channel) ?? new Set()
    listeners.set(channel, others.add(own))
    const subscription: Subscription = {
      close: async () => {
        others.delete(own)
        this.#subscriptions.delete(subscription)
      },
    }
    this.#subscriptions.add(subscription)
    return subscription
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    const { leases } = this.#connected()
    const held = leases.get(name)
    const nowMs = this.#options.clock.now()
    if (held !== undefined && held.owner !== owner && held.untilMs > nowMs) return false
    leases.set(name, { owner, untilMs: nowMs + ttlMs })
    return true
  }

  async releaseLease(name: string, owner: string): Promise<void> {
    const { leases } = this.#connected()
    if (leases.get(name)?.owner === owner) leases.delete(name)
  }

  async close(): Promise<void> {
    this.#closed = true
    const store = this.#store
    if (store === undefined) return
    await Promise.all([...this.#consumers, ...this.#subscriptions].map((open) => open.close()))
    if (this.#store === undefined) return
    this.#store = undefined
    leaveMemoryStore(this.url, store)
  }

  #connected(): MemoryStore {
    if (this.#closed) throw this.#closedError()
    if (this.#store === undefined) throw new OperationalError(`The broker "${this.url}" is not connected. Call connect() first.`)
    return this.#store
  }

  #closedError(): ClosedError {
    return new ClosedError(`The broker "${this.url}" was closed. Open another one.`)
  }

  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#options.logger.error({ err: error }, 'A listener to broadcasts threw')
    }
  }
}

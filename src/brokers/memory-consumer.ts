import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { ConsumeOptions, Consumer, DeadLetter, DeadLetterReason, Delivery } from '../broker.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { Message } from '../protocol/message.ts'
import type { MemoryMessage, MemoryStore } from './memory-store.ts'

/** What a consumer in memory is made of. */
export interface MemoryConsumerParts {
  readonly store: MemoryStore
  readonly clock: Clock
  readonly logger: Logger
  readonly maxMessageSize: number
}

/** One consumption of a {@link MemoryStore}. */
export class MemoryConsumer implements Consumer {
  readonly id: string = randomUUID()
  readonly #parts: MemoryConsumerParts
  readonly #options: ConsumeOptions
  readonly #out = new Map<Delivery, MemoryMessage>()
  readonly #wake = (): void => this.#fetchSoon()
  #prefetch: number
  #fetching: Promise<void> | undefined
  #paused = false
  #dueTimer: Timer | undefined
  #keepAlive: NodeJS.Timeout | undefined

  constructor(parts: MemoryConsumerParts, options: ConsumeOptions) {
    this.#parts = parts
    this.#options = options
    this.#prefetch = options.prefetch
  }

  start(): void {
    const { name, queues } = this.#options
    this.#parts.store.consumers.set(this.id, { id: this.id, name, host: hostname(), pid: process.pid, queues })
    this.#parts.store.wakes.add(this.#wake)
    // Nothing else would hold the process while the queue is empty.
    this.#keepAlive = setInterval(() => {}, 2 ** 30)
    this.#fetchSoon()
  }

  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch
    this.#fetchSoon()
  }

  setChildren(): Promise<void> {
    // They end with this process, and so does the queue.
    return Promise.resolve()
  }

  async pause(): Promise<void> {
    this.#paused = true
    this.#parts.store.wakes.delete(this.#wake)
    this.#dueTimer?.cancel()
    clearInterval(this.#keepAlive)
    await this.#fetching
  }

  async close(): Promise<void> {
    await this.pause()
    const { store, clock } = this.#parts
    for (const message of this.#out.values()) store.giveBack(message, 0, clock.now())
    this.#out.clear()
    store.consumers.delete(this.id)
  }

  isOut(delivery: Delivery): boolean {
    return this.#out.has(delivery)
  }

  /** Makes the change that settles a delivery, unless it is settled. */
  settle(delivery: Delivery, change: (store: MemoryStore, nowMs: number) => void): Promise<void> {
    if (this.#out.delete(delivery)) {
      change(this.#parts.store, this.#parts.clock.now())
      this.#fetchSoon()
    }
    return Promise.resolve()
  }

  #fetchSoon(): void {
    if (this.#paused) return
    // Later in the turn, as with every other driver: never inside the call that published or settled.
    this.#fetching ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#fetching = undefined
      if (!this.#paused) this.#fetch()
    })
  }

  #fetch(): void {
    const { store, clock } = this.#parts
    const taken = store.take(this.#options.queues, Math.max(0, this.#prefetch - this.#out.size), clock.now())
    const deliveries = taken.filter((message) => !this.#buryIfTooLarge(message)).map((message) => this.#deliver(message))
    this.#scheduleDue()
    if (deliveries.length > 0) this.#call(() => this.#options.onDeliveries(deliveries))
  }

  #deliver(message: MemoryMessage): Delivery {
    const delivery = new MemoryDelivery(message, this)
    this.#out.set(delivery, message)
    return delivery
  }

  #buryIfTooLarge(message: MemoryMessage): boolean {
    const { store, clock, maxMessageSize } = this.#parts
    const size = Buffer.byteLength(message.message.body)
    if (size <= maxMessageSize) return false
    const detail = `The body has ${size} bytes, more than the ${maxMessageSize} that taskMessageMaxSize allows.`
    const letter: DeadLetter = { queue: message.queue, reason: 'malformed', detail, diedAtMs: clock.now(), message: { ...message.message, body: '' } }
    store.remove(message)
    store.dead.push(letter)
    this.#call(() => this.#options.onDeadLetter?.(letter))
    return true
  }

  #scheduleDue(): void {
    const { store, clock } = this.#parts
    this.#dueTimer?.cancel()
    const dueAtMs = store.nextDue(this.#options.queues)
    if (dueAtMs !== undefined) this.#dueTimer = clock.after(dueAtMs - clock.now(), this.#wake)
  }

  /** An error in what the worker does with a delivery is the worker's; it must not end the consumption. */
  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#parts.logger.error({ err: error }, 'A listener of the broker threw')
    }
  }
}

class MemoryDelivery implements Delivery {
  readonly queue: string
  readonly message: Message
  readonly losses: number
  readonly publishedAtMs: number
  readonly #entry: MemoryMessage
  readonly #consumer: MemoryConsumer

  constructor(entry: MemoryMessage, consumer: MemoryConsumer) {
    this.queue = entry.queue
    this.message = entry.message
    this.losses = entry.losses
    this.publishedAtMs = entry.publishedAtMs
    this.#entry = entry
    this.#consumer = consumer
  }

  get isHeld(): boolean {
    return this.#consumer.isOut(this)
  }

  ack(): Promise<void> {
    return this.#settle((store) => store.remove(this.#entry))
  }

  reject(reason: DeadLetterReason, detail: string): Promise<void> {
    return this.#settle((store, nowMs) => {
      store.remove(this.#entry)
      store.dead.push({ queue: this.queue, reason, detail, diedAtMs: nowMs, message: this.message })
    })
  }

  requeue({ delayMs = 0, lost = false }: { delayMs?: number; lost?: boolean } = {}): Promise<void> {
    return this.#settle((store, nowMs) => {
      if (lost) this.#entry.losses += 1
      store.giveBack(this.#entry, delayMs > 0 ? nowMs + delayMs : 0, nowMs)
    })
  }

  begun(): Promise<void> {
    // Only matters when this process dies, and the queue dies with it.
    return Promise.resolve()
  }

  #settle(change: (store: MemoryStore, nowMs: number) => void): Promise<void> {
    return this.#consumer.settle(this, change)
  }
}

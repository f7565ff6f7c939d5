import { randomUUID } from 'node:crypto'
import type { ConsumeOptions, Consumer } from '../../broker.ts'
import { OperationalError } from '../../errors.ts'
import { identifyChildren, type Child } from '../../internal/child-processes.ts'
import type { Clock, Timer } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import type { Consumers } from './consumers.ts'
import { SqliteDelivery, type Settler } from './delivery.ts'
import type { Claim, Messages } from './messages.ts'

/** Messages that one transaction claims at most. */
const MOST_CLAIMED = 100

/** Pause after a failure of the store, doubled up to the longest. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000

/** What a consumer is made of. */
export interface SqliteConsumerParts {
  readonly database: Database
  readonly messages: Messages
  readonly consumers: Consumers
  readonly clock: Clock
  readonly logger: Logger
  /** The lease is renewed every third of this. */
  readonly leaseMs: number
  readonly maxMessageSize: number
  readonly onClosed: (consumer: SqliteConsumer) => void
}

/** A consumer as the store has it: its owner number, and when its lease ends. */
interface Registration {
  readonly owner: number
  readonly heldUntilMs: number
  readonly children: readonly Child[]
}

/**
 * One consumption: claims while there is room, waits to be woken while there is nothing, renews its lease.
 *
 * If it finds that its lease was taken from it, because its process was frozen, it registers anew; what it
 * had then is somebody else's, and settling it changes nothing.
 */
export class SqliteConsumer implements Consumer, Settler {
  readonly id: string = randomUUID()
  readonly #parts: SqliteConsumerParts
  readonly #options: ConsumeOptions
  readonly #out = new Set<SqliteDelivery>()
  #prefetch: number
  #owner = 0
  /** When the lease ends, as it was last renewed. */
  #heldUntilMs = 0
  #children: readonly Child[]
  /** What the store says of them. */
  #recordedChildren: readonly Child[]
  /** The database file that this consumer is registered in. */
  #generation: number
  #fetching: Promise<void> | undefined
  /** Nothing was ready at the last look, and nobody has said since that this changed. */
  #drained = false
  #paused = false
  #closing: Promise<void> | undefined
  #stopListening: (() => void) | undefined
  #leaseTimer: Timer | undefined
  #dueTimer: Timer | undefined
  #pauseTimer: Timer | undefined
  #pauseMs = 0

  constructor(parts: SqliteConsumerParts, options: ConsumeOptions) {
    this.#parts = parts
    this.#options = options
    this.#prefetch = options.prefetch
    this.#children = this.#recordedChildren = identifyChildren(options.children ?? [])
    this.#generation = parts.database.generation
  }

  /** Registers and begins to claim. */
  async start(): Promise<void> {
    const { database } = this.#parts
    this.#adopt(await database.write(() => this.#register()))
    this.#stopListening = database.listen('messages', () => this.#wake(), { keepAlive: true })
    this.#scheduleRenewal()
    this.#fetch()
  }

  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch
    if (!this.#drained) this.#fetch()
  }

  async setChildren(pids: readonly number[]): Promise<void> {
    this.#children = identifyChildren(pids)
    // Should it fail, the next renewal says it again.
    this.#adopt(await this.#parts.database.write(() => this.#register()))
  }

  async pause(): Promise<void> {
    this.#paused = true
    this.#stopListening?.()
    this.#dueTimer?.cancel()
    this.#pauseTimer?.cancel()
    await this.#fetching
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  holds(delivery: SqliteDelivery): boolean {
    return this.#out.has(delivery) && this.#parts.clock.now() < this.#heldUntilMs
  }

  isOut(delivery: SqliteDelivery): boolean {
    return this.#out.has(delivery)
  }

  async settle(delivery: SqliteDelivery, change: (messages: Messages) => void): Promise<void> {
    if (!this.#out.delete(delivery)) return
    const settled = this.change(change)
    // Asked for in the same turn, so that settling and claiming the next share a commit.
    if (!this.#drained) this.#fetch()
    try {
      await settled
    } catch (error) {
      // Still ours in the store, so it may be settled again.
      if (delivery.owner === this.#owner && this.#closing === undefined) this.#out.add(delivery)
      throw error
    }
  }

  change(change: (messages: Messages) => void): Promise<void> {
    const { database, messages } = this.#parts
    return database.write(() => change(messages))
  }

  /** Inside a write: makes sure that this consumer is registered as it is now, under a lease that has begun lately. */
  #register(): Registration {
    const { consumers, clock, leaseMs } = this.#parts
    const { name, queues } = this.#options
    const children = this.#children
    const owner = consumers.ensure({ tag: this.id, name, queues, children })
    if (children !== this.#recordedChildren) consumers.setChildren(owner, children)
    const heldUntilMs = clock.now() + leaseMs
    // Not with every claim: it would cost each of them a page.
    if (heldUntilMs - this.#heldUntilMs < leaseMs / 6) return { owner, children, heldUntilMs: this.#heldUntilMs }
    consumers.renew(owner)
    return { owner, children, heldUntilMs }
  }

  /** What is out under another owner number is somebody else's by now. */
  #adopt({ owner, children, heldUntilMs }: Registration): void {
    this.#heldUntilMs = heldUntilMs
    this.#recordedChildren = children
    if (owner === this.#owner) return
    this.#owner = owner
    for (const delivery of this.#out) if (delivery.owner !== owner) this.#out.delete(delivery)
  }

  #wake(): void {
    this.#drained = false
    this.#fetch()
  }

  #fetch(): void {
    if (this.#paused || this.#fetching !== undefined || this.#pauseMs > 0) return
    // What is out takes no room in a new file.
    if (this.#room() === 0 && this.#parts.database.generation === this.#generation) return
    this.#fetching = this.#fetchWhileRoom().finally(() => {
      this.#fetching = undefined
      // Woken or given room while the last claim was under way.
      if (!this.#drained) this.#fetch()
    })
  }

  async #fetchWhileRoom(): Promise<void> {
    const { database, messages } = this.#parts
    try {
      if ((await database.read(() => database.generation)) !== this.#generation) await this.#joinNewFile()
      while (!this.#paused && !this.#drained && this.#room() > 0) {
        // Set before looking: whoever publishes after the look sets it back.
        this.#drained = true
        if (await database.read(() => messages.available(this.#options.queues))) this.#handOut(await database.write(() => this.#claim()))
      }
      this.#recovered()
      if (this.#drained) await this.#scheduleDue()
    } catch (error) {
      this.#failed(error)
    }
  }

  #room(): number {
    return Math.max(0, this.#prefetch - this.#out.size)
  }

  /** A deleted file was made anew, and nobody is registered in it. */
  async #joinNewFile(): Promise<void> {
    const { database } = this.#parts
    this.#adopt(await database.write(() => this.#register()))
    this.#generation = database.generation
    const fault = new OperationalError(`The database "${database.path}" was deleted or replaced while it was open. What it held is lost.`)
    this.#call(() => this.#options.onFault?.(fault))
    this.#call(() => this.#options.onFault?.(undefined))
  }

  #claim(): Claim & Registration {
    const { messages, maxMessageSize } = this.#parts
    const limit = this.#paused ? 0 : Math.min(this.#room(), MOST_CLAIMED)
    const registration = this.#register()
    return { ...messages.claim(registration.owner, this.#options.queues, limit, maxMessageSize), ...registration }
  }

  #handOut({ messages, dead, drained, ...registration }: Claim & Registration): void {
    this.#adopt(registration)
    const { owner } = registration
    if (!drained) this.#drained = false
    const deliveries = messages.map((message) => new SqliteDelivery(message, owner, this))
    for (const delivery of deliveries) this.#out.add(delivery)
    for (const letter of dead) this.#call(() => this.#options.onDeadLetter?.(letter))
    if (deliveries.length > 0) this.#call(() => this.#options.onDeliveries(deliveries))
  }

  async #scheduleDue(): Promise<void> {
    const { database, messages, clock } = this.#parts
    this.#dueTimer?.cancel()
    const dueAtMs = await database.read(() => messages.nextDue(this.#options.queues))
    if (dueAtMs !== undefined && !this.#paused) this.#dueTimer = clock.after(dueAtMs - clock.now(), () => this.#wake())
  }

  #failed(error: unknown): void {
    if (this.#pauseMs === 0) this.#call(() => this.#options.onFault?.(error instanceof Error ? error : new Error(String(error))))
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    if (this.#paused) return
    this.#pauseTimer = this.#parts.clock.after(this.#pauseMs, () => {
      this.#drained = false
      this.#fetching ??= this.#fetchWhileRoom().finally(() => {
        this.#fetching = undefined
      })
    })
  }

  #recovered(): void {
    if (this.#pauseMs === 0) return
    this.#pauseMs = 0
    this.#call(() => this.#options.onFault?.(undefined))
  }

  #scheduleRenewal(): void {
    this.#leaseTimer = this.#parts.clock.after(this.#parts.leaseMs / 3, () => {
      void this.#renew().then(() => {
        if (this.#closing === undefined) this.#scheduleRenewal()
      })
    })
  }

  async #renew(): Promise<void> {
    const { database, logger } = this.#parts
    const before = this.#owner
    try {
      const registration = await database.write(() => (this.#closing === undefined ? this.#register() : undefined))
      if (registration === undefined) return
      this.#adopt(registration)
      if (this.#owner === before) return
      if (database.generation === this.#generation) logger.warn({ consumer: this.#options.name }, 'The lease had run out, what was out is delivered again')
      // What was out takes no room any more.
      if (!this.#drained) this.#fetch()
    } catch (error) {
      logger.warn({ err: error }, 'The lease could not be renewed, trying again')
    }
  }

  async #close(): Promise<void> {
    await this.pause()
    this.#leaseTimer?.cancel()
    this.#out.clear()
    const { database, messages, consumers, logger, onClosed } = this.#parts
    try {
      await database.write(() => {
        messages.giveBack(this.#owner, false)
        consumers.remove(this.#owner)
      })
    } catch (error) {
      logger.warn({ err: error }, 'A consumer could not say that it ends, its lease will run out')
    }
    consumers.ended(this.id)
    onClosed(this)
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

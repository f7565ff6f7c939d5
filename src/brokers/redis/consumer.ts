import { randomUUID } from 'node:crypto'
import type { ConsumeOptions, Consumer, DeadLetter } from '../../broker.ts'
import { ClosedError } from '../../errors.ts'
import { identifyChildren, type Child } from '../../internal/child-processes.ts'
import type { Clock, Timer } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Patience } from '../../internal/redis/patience.ts'
import { Claims, type Claimed } from './claims.ts'
import { RedisDelivery, type Settler } from './delivery.ts'
import { Hints } from './hints.ts'
import type { Keys } from './keys.ts'
import type { Publisher } from './publisher.ts'
import type { ConsumerDescription, Registry } from './registry.ts'
import type { Settlements } from './settlements.ts'

/** Messages that one script claims at most. */
const MOST_CLAIMED = 100

/** How often is looked without a hint: those of the server can be lost, and some servers give none. */
const LOOK_MS = 1000

/** Pause between two parts of what is due, while there is no room and it is put back for others only. */
const FULL_PAUSE_MS = 100

/** Pause after a failure of the store, doubled up to the longest. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000

/** What a consumer is made of. */
export interface RedisConsumerParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly publisher: Publisher
  readonly registry: Registry
  readonly settlements: Settlements
  readonly clock: Clock
  readonly logger: Logger
  /** The lease is renewed every third of this. */
  readonly leaseMs: number
  readonly maxMessageSize: number
  readonly patience: Patience
  /** It claims no more, so that it need not keep the process alive. */
  readonly onPaused: (consumer: RedisConsumer) => void
  readonly onClosed: (consumer: RedisConsumer) => void
}

/**
 * One consumption: claims while there is room, waits to be told of a change while there is nothing, renews its lease.
 *
 * If it finds that its registration is gone, because its process was frozen or the database was emptied, it registers anew; what it
 * had then is somebody else's, and settling it changes nothing.
 */
export class RedisConsumer implements Consumer, Settler {
  readonly id: string = randomUUID()
  readonly settlements: Settlements
  readonly #parts: RedisConsumerParts
  readonly #options: ConsumeOptions
  readonly #claims: Claims
  readonly #out = new Set<RedisDelivery>()
  readonly #hints = new Hints((isNoise) => (isNoise ? void this.#glance() : this.#wake()))
  #prefetch: number
  /** Begins the ids of all that is out; another one with each registration. */
  #registration = ''
  #registrations = 0
  #registering: Promise<void> | undefined
  /** When the lease ends, as it was last renewed. */
  #heldUntilMs = 0
  #children: readonly Child[]
  /** What the store says of them. */
  #recordedChildren: readonly Child[]
  #fetching: Promise<void> | undefined
  /** Nobody waits for the fetch that is under way: what it brings goes back. */
  #isFetchGivenUp = false
  /** Being settled in this turn, so that they still take room. */
  #unsent = 0
  /** Nothing was ready at the last look, and nobody has said since that this changed. */
  #drained = false
  #paused = false
  #isFaulty = false
  #closing: Promise<void> | undefined
  readonly #stopListening: (() => void)[] = []
  #lookTimer: Timer | undefined
  #leaseTimer: Timer | undefined
  #dueTimer: Timer | undefined
  #pauseTimer: Timer | undefined
  #pauseMs = 0

  constructor(parts: RedisConsumerParts, options: ConsumeOptions) {
    this.#parts = parts
    this.#options = options
    this.settlements = parts.settlements
    this.#prefetch = options.prefetch
    this.#children = this.#recordedChildren = identifyChildren(options.children ?? [])
    this.#claims = new Claims(parts, options.queues)
  }

  /** Registers and begins to claim. */
  async start(): Promise<void> {
    await this.#register()
    const { connection } = this.#parts
    this.#stopListening.push(
      connection.onInvalidate((key) => {
        if (key === null || this.#claims.watches(key)) this.#hints.take()
      }),
      connection.onChange((fault) => (fault === undefined ? this.#back() : this.#lost(fault))),
    )
    this.#scheduleLook()
    this.#scheduleRenewal()
    this.#fetch()
  }

  now(): number {
    return this.#parts.connection.now()
  }

  setPrefetch(prefetch: number): void {
    this.#prefetch = prefetch
    if (!this.#drained) this.#fetch()
  }

  async setChildren(pids: readonly number[]): Promise<void> {
    this.#children = identifyChildren(pids)
    // Should it fail, the next renewal says it again.
    await this.#renew()
  }

  async pause(): Promise<void> {
    this.#paused = true
    this.#lookTimer?.cancel()
    this.#dueTimer?.cancel()
    this.#pauseTimer?.cancel()
    this.#parts.onPaused(this)
    const { connection, patience } = this.#parts
    if (this.#fetching !== undefined) this.#isFetchGivenUp = !connection.isReady || !(await patience.wait(this.#fetching, 'half'))
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  holds(delivery: RedisDelivery): boolean {
    return this.#out.has(delivery) && this.now() < this.#heldUntilMs
  }

  async settle(delivery: RedisDelivery, change: () => Promise<void>): Promise<void> {
    if (!this.#out.delete(delivery)) return
    const settled = change()
    this.#fetchWhenSent()
    const registration = this.#registration
    try {
      await settled
    } catch (error) {
      // Still ours in the store, so it may be settled again.
      if (registration === this.#registration && this.#closing === undefined) this.#out.add(delivery)
      throw error
    }
  }

  #describe(): ConsumerDescription {
    const { name, queues } = this.#options
    return { id: this.id, name, queues, children: this.#children }
  }

  /** What is out under another registration is somebody else's by now. */
  #register(): Promise<void> {
    return (this.#registering ??= this.#registerAnew().finally(() => {
      this.#registering = undefined
    }))
  }

  async #registerAnew(): Promise<void> {
    const { registry, publisher, logger } = this.#parts
    const isAgain = this.#registrations++ > 0
    this.#registration = ''
    this.#out.clear()
    this.#claims.forget()
    if (isAgain) publisher.forgetDeclared()
    await publisher.declare(this.#options.queues)
    if (this.#closing !== undefined) throw new ClosedError('The consumer was closed.')
    const registration = `${this.id}.${this.#registrations}`
    const children = this.#children
    this.#heldUntilMs = await registry.register(registration, this.#describe())
    this.#recordedChildren = children
    this.#registration = registration
    if (isAgain) logger.warn({ consumer: this.#options.name }, 'The lease had run out, what was out is delivered again')
  }

  #wake(): void {
    this.#drained = false
    this.#fetch()
  }

  /** Wakes if there is anything, and has the server tell of the next change if not. */
  async #glance(): Promise<void> {
    // Whoever is fetching, or has no room, looks by itself.
    if (!this.#drained || this.#paused || this.#fetching !== undefined) return this.#wake()
    try {
      if (await this.#claims.isReady()) this.#wake()
      else this.#hints.looked(false)
    } catch {
      // The connection says so itself.
      this.#wake()
    }
  }

  /** Claims as long as there is room. Without room it only puts back what is parked and due, if `evenIfFull`. */
  #fetch(evenIfFull = false): void {
    if (this.#paused || this.#fetching !== undefined || this.#pauseMs > 0) return
    if (this.#room() === 0 && !evenIfFull) return
    this.#fetching = this.#fetchWhileRoom().finally(() => {
      this.#fetching = undefined
      // Woken or given room while the last claim was under way.
      if (!this.#drained) this.#fetch()
    })
  }

  async #fetchWhileRoom(): Promise<void> {
    try {
      do {
        // Set before looking: whoever publishes after the look sets it back.
        this.#drained = true
        await this.#claim()
      } while (!this.#paused && !this.#drained && this.#room() > 0)
      this.#recovered()
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Behind the settlements of this turn, which go out together: what is put back is next in line by then. */
  #fetchWhenSent(): void {
    if (this.#unsent++ > 0) return
    setImmediate(() => {
      this.#unsent = 0
      if (!this.#drained) this.#fetch()
    })
  }

  #room(): number {
    return Math.max(0, this.#prefetch - this.#out.size - this.#unsent)
  }

  async #claim(): Promise<void> {
    if (this.#registration === '') await this.#register()
    const limit = this.#paused ? 0 : Math.min(this.#room(), MOST_CLAIMED)
    const registration = this.#registration
    const claimed = await this.#claims.take(registration, limit)
    if (claimed === undefined) {
      if (registration === this.#registration) await this.#register()
      this.#drained = false
      return
    }
    // Registered anew meanwhile: it goes back with the rest of what that registration had.
    if (registration !== this.#registration) return
    if (this.#isFetchGivenUp) {
      this.#claims.doubt([...claimed.messages, ...claimed.unreadable].map(({ id }) => id))
      return this.#claims.giveBackDoubtful()
    }
    this.#hints.looked(claimed.messages.length + claimed.unreadable.length > 0)
    if (!claimed.isDrained) this.#drained = false
    this.#scheduleDue(claimed.nextDueAtMs)
    await this.#handOut(claimed)
  }

  async #handOut({ messages, unreadable }: Claimed): Promise<void> {
    const deliveries = messages.map((claim) => new RedisDelivery(claim, claim.read, this))
    for (const delivery of deliveries) this.#out.add(delivery)
    try {
      if (unreadable.length > 0) await this.#bury(unreadable)
    } finally {
      if (deliveries.length > 0) this.#call(() => this.#options.onDeliveries(deliveries))
    }
  }

  async #bury(unreadable: Claimed['unreadable']): Promise<void> {
    const diedAtMs = Math.floor(this.now())
    const letters = unreadable.map(({ id, queue, detail, message }) => ({ id, queue, reason: 'malformed' as const, detail, diedAtMs, message }))
    try {
      await this.settlements.bury(letters)
    } catch (error) {
      this.#claims.doubt(letters.map(({ id }) => id))
      throw error
    }
    for (const { id: _id, ...letter } of letters) this.#call(() => this.#options.onDeadLetter?.(letter satisfies DeadLetter))
  }

  #scheduleDue(dueAtMs: number | undefined): void {
    this.#dueTimer?.cancel()
    if (dueAtMs === undefined || this.#paused) return
    this.#dueTimer = this.#parts.clock.after(Math.max(this.#room() === 0 ? FULL_PAUSE_MS : 1, dueAtMs - this.now()), () => {
      this.#drained = false
      this.#fetch(true)
    })
  }

  #scheduleLook(): void {
    this.#lookTimer = this.#parts.clock.after(LOOK_MS, () => {
      if (this.#paused) return
      this.#drained = false
      this.#fetch(true)
      this.#scheduleLook()
    })
  }

  #lost(fault: Error): void {
    if (this.#isFaulty || this.#closing !== undefined) return
    this.#isFaulty = true
    this.#call(() => this.#options.onFault?.(fault))
  }

  #recovered(): void {
    this.#pauseMs = 0
    if (!this.#isFaulty) return
    this.#isFaulty = false
    this.#call(() => this.#options.onFault?.(undefined))
  }

  /** The connection is back, and nobody has told us of a change meanwhile. */
  #back(): void {
    this.#parts.publisher.forgetDeclared()
    this.#pauseMs = 0
    this.#pauseTimer?.cancel()
    this.#drained = false
    void this.#renewQuietly()
    this.#fetch(true)
  }

  #failed(error: unknown): void {
    // What was to be claimed may still be there.
    this.#drained = false
    if (this.#closing !== undefined) return
    this.#lost(error instanceof Error ? error : new Error(String(error)))
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    if (this.#paused) return
    this.#pauseTimer = this.#parts.clock.after(this.#pauseMs, () => {
      const pauseMs = this.#pauseMs
      this.#pauseMs = 0
      this.#fetch(true)
      this.#pauseMs = pauseMs
    })
  }

  #scheduleRenewal(): void {
    this.#leaseTimer = this.#parts.clock.after(this.#parts.leaseMs / 3, () => {
      void this.#renewQuietly().then(() => {
        if (this.#closing === undefined) this.#scheduleRenewal()
      })
    })
  }

  async #renewQuietly(): Promise<void> {
    try {
      if (this.#closing === undefined) await this.#renew()
    } catch (error) {
      // That the broker is lost was said.
      if (this.#closing === undefined && !this.#isFaulty) this.#parts.logger.warn({ err: error }, 'The lease could not be renewed, trying again')
    }
  }

  async #renew(): Promise<void> {
    const registration = this.#registration
    if (registration === '') return this.#register()
    const children = this.#children
    const claims = [...this.#out].map(({ id }) => id)
    const heldUntilMs = await this.#parts.registry.renew(registration, claims, children === this.#recordedChildren ? undefined : this.#describe())
    if (registration !== this.#registration || this.#closing !== undefined) return
    if (heldUntilMs === undefined) {
      await this.#register()
      // What was out takes no room any more.
      this.#wake()
      return
    }
    this.#heldUntilMs = heldUntilMs
    this.#recordedChildren = children
  }

  async #close(): Promise<void> {
    await this.pause()
    this.#leaseTimer?.cancel()
    for (const stop of this.#stopListening) stop()
    this.#hints.stop()
    const out = [...this.#out]
    this.#out.clear()
    this.settlements.flush()
    const { connection, registry, logger, patience, onClosed } = this.#parts
    let unsaid: { err?: unknown } | undefined = {}
    // One that fails may have lost its server meanwhile, so it counts as a failure for those who wait after it.
    const said = async (): Promise<void> => {
      await this.#sayEnd(out).catch((error: unknown) => {
        unsaid = { err: error }
        throw error
      })
      unsaid = undefined
    }
    if (connection.isReady) await patience.wait(said())
    const { name } = this.#options
    if (unsaid !== undefined) logger.warn({ ...unsaid, consumer: name }, 'A consumer could not say that it ends, its lease will run out')
    registry.ended(this.id)
    onClosed(this)
  }

  async #sayEnd(out: readonly RedisDelivery[]): Promise<void> {
    const given = this.settlements.giveBack(out.map(({ id, number, losses }) => ({ id, number, losses })))
    await Promise.all([this.#claims.giveBackDoubtful(), given])
    if (this.#registration !== '') await this.#parts.registry.unregister(this.#registration)
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

import type { Consumer, DeadLetter, Delivery } from '../broker.ts'
import { commonHeaders } from '../protocol/message-form.ts'
import { acksLate, passing, Request, type RequestContext } from './request.ts'
import { storeUnreadable } from './unreadable.ts'

/** While tasks are over in a blink, twice as many are held as usual; where that would be few, up to eight times. */
const FEW = 64

/**
 * How many messages a worker holds while its tasks are over in a blink: more than usual, since asking for few costs more than
 * running them. Not with a multiplier of 1, which asks for none to be held.
 */
export function quickPrefetch(concurrency: number, multiplier: number): number {
  const usual = concurrency * multiplier
  return multiplier === 1 ? usual : Math.max(2 * usual, Math.min(8 * usual, FEW))
}

/** What a {@link TaskConsumer} is made of. */
export interface TaskConsumerOptions {
  /** Queues that it takes messages from. */
  readonly queues: readonly string[]
  /** Node name. */
  readonly name: string
  readonly context: RequestContext
}

/** After so long, what this worker has heard may be forgotten again: see {@link RevokedTasks}. */
const REMEMBERED_MS = 3_600_000

/** How long a message waits whose handling failed unexpectedly. */
const FAULT_DELAY_MS = 1_000

/**
 * Takes deliveries and keeps every slot of the pool busy with them, oldest first.
 *
 * As many deliveries wait here as `workerPrefetchMultiplier` allows, so that a slot that becomes free
 * need not wait for the broker.
 */
export class TaskConsumer {
  readonly #options: TaskConsumerOptions
  readonly #waiting: Delivery[] = []
  readonly #sinceMs: number
  /** How many deliveries run, or have an outcome that is being stored and acknowledged. */
  #inHand = 0
  #whenNoneInHand: (() => void)[] = []
  /** Those of which a result is stored already. */
  readonly #succeeded = new WeakSet<Delivery>()
  readonly #usualPrefetch: number
  readonly #quickPrefetch: number
  #prefetch: number
  #consumer: Consumer | undefined
  /** How many are with the pool. */
  #active = 0
  /** How many of these are acknowledged before they run. */
  #activeEarly = 0
  #pausing = false

  constructor(options: TaskConsumerOptions) {
    this.#options = options
    const { conf, pool } = options.context
    this.#prefetch = this.#usualPrefetch = pool.size * conf.workerPrefetchMultiplier
    this.#quickPrefetch = quickPrefetch(pool.size, conf.workerPrefetchMultiplier)
    this.#sinceMs = options.context.clock.now()
  }

  async start(): Promise<void> {
    const { context, name, queues } = this.#options
    const { broker, pool, logger } = context
    this.#consumer = await broker.consume({
      queues,
      name,
      prefetch: this.#prefetch,
      children: pool.pids(),
      onDeliveries: (deliveries) => void this.#take(deliveries),
      onDeadLetter: (letter) => this.#lament(letter),
      onFault: (fault) => (fault === undefined ? logger.info({}, 'The broker is back') : logger.error({}, `The broker is lost: ${fault.message}`)),
    })
  }

  /** Tells the broker which processes run tasks. */
  async setChildren(pids: readonly number[]): Promise<void> {
    await this.#consumer?.setChildren(pids)
  }

  /** A task runs for more than a blink: those that wait for others to be over in one are given back, to whoever has a free slot. */
  ranLong(id: string): void {
    this.#options.context.pool.ranLong(id)
    this.#adjustPrefetch()
  }

  #adjustPrefetch(): void {
    const prefetch = this.#options.context.pool.ahead > 0 ? this.#quickPrefetch : this.#usualPrefetch
    if (prefetch === this.#prefetch || this.#pausing) return
    this.#prefetch = prefetch
    this.#consumer?.setPrefetch(prefetch)
    while (this.#waiting.length > 0 && this.#waiting.length + this.#active > prefetch) void this.#giveBack(this.#waiting.pop() as Delivery)
  }

  /** It is in hand until that is done. */
  #done(): void {
    this.#inHand -= 1
    if (this.#inHand === 0) for (const resolve of this.#whenNoneInHand.splice(0)) resolve()
  }

  /** Takes no more; what runs goes on, what waits stays waiting until `close` gives it back. */
  async pause(): Promise<void> {
    this.#pausing = true
    await this.#consumer?.pause()
  }

  /** Waits until what the pool has ended is stored and acknowledged, then gives back what has not begun. */
  async close(): Promise<void> {
    if (this.#inHand > 0) await new Promise<void>((resolve) => this.#whenNoneInHand.push(resolve))
    await this.#consumer?.close()
  }

  async #take(deliveries: readonly Delivery[]): Promise<void> {
    const since = Math.max(this.#sinceMs, this.#options.context.clock.now() - REMEMBERED_MS)
    const isOld = ({ losses, publishedAtMs }: Delivery): boolean => losses > 0 || publishedAtMs === undefined || publishedAtMs < since
    if (deliveries.some(isOld)) await this.#learnStored(deliveries.filter(isOld))
    this.#waiting.push(...deliveries)
    this.#fill()
  }

  /** The broker itself gave a message up. */
  #lament({ queue, detail, message }: DeadLetter): void {
    const { context } = this.#options
    context.logger.error({ queue }, `Message to the dead-letter queue: ${detail}`)
    if (message !== undefined) passing(storeUnreadable(message, detail, context))
  }

  /**
   * How many may be with the pool if this delivery is the next. What is acknowledged before it runs never waits there: it is not
   * handed over ahead, and while there is one nothing else is, which could come before it.
   */
  #limit(next: Delivery): number {
    const { pool } = this.#options.context
    return this.#acksEarly(next) || this.#activeEarly > 0 ? pool.size : pool.size + pool.ahead
  }

  #acksEarly({ message }: Delivery): boolean {
    return !acksLate(commonHeaders(message), this.#options.context.conf)
  }

  #fill(): void {
    for (let next = this.#waiting[0]; next !== undefined && !this.#pausing && this.#active < this.#limit(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      // Its lease ended while it waited: it is another worker's, or goes back.
      void (next.isHeld ? this.#handle(next) : this.#giveBack(next))
    }
  }

  /** Not done only as the worker stops, which gives everything back. Never rejects. */
  async #giveBack(delivery: Delivery, how?: { delayMs: number; lost: boolean }): Promise<void> {
    const { context } = this.#options
    this.#inHand += 1
    await context.insist('put a message back', () => delivery.requeue(how)).catch(() => {})
    this.#done()
  }

  /** Never rejects. */
  async #handle(delivery: Delivery): Promise<void> {
    this.#inHand += 1
    try {
      const conclude = await this.#process(delivery)
      await conclude()
    } catch (error) {
      await this.#leave(delivery, error)
    }
    this.#done()
  }

  /** The next task takes the slot before the outcome of this one is stored. */
  async #process(delivery: Delivery): Promise<() => Promise<void>> {
    const early = this.#acksEarly(delivery) ? 1 : 0
    this.#active++
    this.#activeEarly += early
    try {
      return await new Request(delivery, this.#options.context, this.#succeeded.has(delivery), this.#onLong).process()
    } finally {
      this.#active--
      this.#activeEarly -= early
      this.#adjustPrefetch()
      this.#fill()
    }
  }

  readonly #onLong = (id: string): void => this.ranLong(id)

  /**
   * Still unacknowledged, so it is run again: when the worker stops, as if nothing had been, for its store
   * could not be written. Otherwise nobody knows why, and it counts, so that it cannot go on for ever.
   */
  async #leave(delivery: Delivery, error: unknown): Promise<void> {
    this.#options.context.logger.error({ err: error }, `A message was left to be run again: ${String(error)}`)
    if (!this.#pausing) await this.#giveBack(delivery, { delayMs: FAULT_DELAY_MS, lost: true })
  }

  /**
   * Whatever is revoked while this worker runs, it hears; a message that was sent before that, or long
   * ago, may have been revoked unheard or forgotten, so its stored state is looked at. That of one that was
   * begun before tells, besides, whether only its acknowledgement was lost.
   */
  async #learnStored(old: readonly Delivery[]): Promise<void> {
    const ids = old.map((delivery) => delivery.message.headers['id']).filter((id) => typeof id === 'string')
    if (ids.length === 0) return
    const { backend, logger, revoked } = this.#options.context
    try {
      for (const { taskId, status } of await backend.getMany(ids)) {
        if (status === 'REVOKED') revoked.add(taskId)
        if (status !== 'SUCCESS') continue
        for (const delivery of old) if (delivery.message.headers['id'] === taskId) this.#succeeded.add(delivery)
      }
    } catch (error) {
      logger.warn({ err: error }, `Could not look at the states of ${ids.length} older tasks: ${String(error)}`)
    }
  }
}

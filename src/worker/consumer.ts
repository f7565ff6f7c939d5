import type { Broker, Consumer, Delivery } from '../broker.ts'
import { Request, type RequestContext } from './request.ts'

export interface TaskConsumerOptions {
  readonly broker: Broker
  readonly queues: readonly string[]
  /** Node name. */
  readonly name: string
  readonly context: RequestContext
}

/** After so long, what this worker has heard may be forgotten again: see {@link RevokedTasks}. */
const REMEMBERED_MS = 3_600_000

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
  /** Deliveries that run, or whose outcome is being stored and acknowledged. */
  readonly #inHand = new Set<Promise<void>>()
  #consumer: Consumer | undefined
  /** Slots of the pool in use. */
  #active = 0
  #pausing = false

  constructor(options: TaskConsumerOptions) {
    this.#options = options
    this.#sinceMs = options.context.clock.now()
  }

  async start(): Promise<void> {
    const { broker, context, name, queues } = this.#options
    const { pool, conf, logger } = context
    this.#consumer = await broker.consume({
      queues,
      name,
      prefetch: conf.workerPrefetchMultiplier === 0 ? Number.MAX_SAFE_INTEGER : pool.size * conf.workerPrefetchMultiplier,
      onDeliveries: (deliveries) => void this.#take(deliveries),
      onDeadLetter: (letter) => logger.error({ queue: letter.queue }, `Message to the dead-letter queue: ${letter.detail}`),
      onFault: (fault) => (fault === undefined ? logger.info({}, 'The broker is back') : logger.error({}, `The broker is lost: ${fault.message}`)),
    })
    await this.setChildren(pool.pids())
  }

  /** Tells the broker which processes run tasks. */
  async setChildren(pids: readonly number[]): Promise<void> {
    await this.#consumer?.setChildren(pids)
  }

  /** Takes no more; what runs goes on, what waits stays waiting until `close` gives it back. */
  async pause(): Promise<void> {
    this.#pausing = true
    await this.#consumer?.pause()
  }

  /** Waits until what the pool has ended is stored and acknowledged, then gives back what has not begun. */
  async close(): Promise<void> {
    await Promise.all(this.#inHand)
    await this.#consumer?.close()
  }

  async #take(deliveries: readonly Delivery[]): Promise<void> {
    await this.#learnRevoked(deliveries)
    this.#waiting.push(...deliveries)
    this.#fill()
  }

  #fill(): void {
    while (!this.#pausing && this.#active < this.#options.context.pool.size && this.#waiting.length > 0) {
      const handled = this.#handle(this.#waiting.shift() as Delivery).finally(() => this.#inHand.delete(handled))
      this.#inHand.add(handled)
    }
  }

  /** The next task takes the slot before the outcome of this one is stored. */
  async #handle(delivery: Delivery): Promise<void> {
    const { context } = this.#options
    this.#active++
    try {
      const conclude = await new Request(delivery, context).process().finally(() => {
        this.#active--
        this.#fill()
      })
      await conclude()
    } catch (error) {
      // Still unacknowledged, so it is run again.
      context.logger.error({ err: error }, `A message was left for another worker: ${String(error)}`)
    }
  }

  /**
   * Whatever is revoked while this worker runs, it hears; a message that was sent before that, or long
   * ago, may have been revoked unheard or forgotten, so its stored state is looked at.
   */
  async #learnRevoked(deliveries: readonly Delivery[]): Promise<void> {
    const since = Math.max(this.#sinceMs, this.#options.context.clock.now() - REMEMBERED_MS)
    const old = deliveries.filter((delivery) => delivery.publishedAtMs === undefined || delivery.publishedAtMs < since)
    const ids = old.map((delivery) => delivery.message.headers['id']).filter((id) => typeof id === 'string')
    if (ids.length === 0) return
    const { backend, logger, revoked } = this.#options.context
    try {
      for (const record of await backend.getMany(ids)) if (record.status === 'REVOKED') revoked.add(record.taskId)
    } catch (error) {
      logger.warn({ err: error }, `Could not look whether ${ids.length} older tasks were revoked: ${String(error)}`)
    }
  }
}

import type { DeadLetterReason, Delivery } from '../../broker.ts'
import type { JointWrite } from '../../joint-write.ts'
import type { Message } from '../../protocol/message.ts'
import type { Settlements } from './settlements.ts'
import type { ReadMessage } from './stored-message.ts'

/** What a delivery needs of the consumer it is out with. */
export interface Settler {
  readonly settlements: Settlements
  /** The time, as the deliveries' due times are counted. */
  now(): number
  /** Whether the delivery is out, and within the lease as it was last renewed. */
  holds(delivery: RedisDelivery): boolean
  /** Makes the change that settles it; the delivery is out no more, unless the change fails. */
  settle(delivery: RedisDelivery, change: () => Promise<void>): Promise<void>
}

/** A claimed message, under an id that no other claim has. */
export class RedisDelivery implements Delivery {
  readonly queue: string
  readonly message: Message
  readonly losses: number
  readonly publishedAtMs: number | undefined
  readonly id: string
  readonly number: number
  readonly #settler: Settler

  constructor(claim: { readonly id: string; readonly number: number; readonly queue: string }, { message, losses, publishedAtMs }: ReadMessage, settler: Settler) {
    this.id = claim.id
    this.number = claim.number
    this.queue = claim.queue
    this.message = message
    this.losses = losses
    this.publishedAtMs = publishedAtMs
    this.#settler = settler
  }

  get isHeld(): boolean {
    return this.#settler.holds(this)
  }

  ack(along?: JointWrite, atOnce = false): Promise<void> {
    // Nothing can be committed along: the broker has no storage of that kind.
    if (along !== undefined) return Promise.reject(new TypeError('Expected an acknowledgement alone, got a write to another store with it. Make that write first.'))
    return this.#settler.settle(this, () => this.#settler.settlements.ack(this.id, atOnce))
  }

  reject(reason: DeadLetterReason, detail: string): Promise<void> {
    const { id, queue, message } = this
    const letter = { id, queue, reason, detail, diedAtMs: Math.floor(this.#settler.now()), message }
    return this.#settler.settle(this, () => this.#settler.settlements.bury([letter]))
  }

  requeue({ delayMs = 0, lost = false }: { delayMs?: number; lost?: boolean } = {}): Promise<void> {
    const { id, number } = this
    const losses = this.losses + (lost ? 1 : 0)
    const item = delayMs > 0 ? { id, number, losses, dueAtMs: this.#settler.now() + delayMs } : { id, number, losses }
    return this.#settler.settle(this, () => this.#settler.settlements.requeue(item))
  }

  begun(): Promise<void> {
    return this.#settler.settlements.begin(this.id, this.losses + 1)
  }
}

import type { DeadLetterReason, Delivery } from '../../broker.ts'
import type { JointWrite } from '../../joint-write.ts'
import type { Message } from '../../protocol/message.ts'
import type { ClaimedMessage, Messages } from './messages.ts'

/** What a delivery needs of the consumer it is out with. */
export interface Settler {
  /** Whether the delivery is out, and within the lease as it was last renewed. */
  holds(delivery: SqliteDelivery): boolean
  /** Whether the delivery is out, as far as this process knows, however long ago the lease was renewed. */
  isOut(delivery: SqliteDelivery): boolean
  /** Runs the change with other writes; the delivery is out no more, unless the change fails. */
  settle(delivery: SqliteDelivery, change: (messages: Messages) => void): Promise<void>
  /** Runs a change that leaves the delivery out. */
  change(change: (messages: Messages) => void): Promise<void>
}

/** A claimed row, under the owner that claimed it. */
export class SqliteDelivery implements Delivery {
  readonly queue: string
  readonly message: Message
  readonly losses: number
  readonly publishedAtMs: number
  readonly id: number
  readonly owner: number
  readonly #settler: Settler

  constructor({ id, queue, message, losses, publishedAtMs }: ClaimedMessage, owner: number, settler: Settler) {
    this.id = id
    this.queue = queue
    this.message = message
    this.losses = losses
    this.publishedAtMs = publishedAtMs
    this.owner = owner
    this.#settler = settler
  }

  get isHeld(): boolean {
    return this.#settler.holds(this)
  }

  ack(along?: JointWrite): Promise<void> {
    // Acknowledged early, or lost: the result is stored all the same.
    if (along !== undefined && !this.#settler.isOut(this)) return this.#settler.change(() => along.make())
    return this.#settler.settle(this, (messages) => {
      along?.make()
      messages.ack(this.id, this.owner)
    })
  }

  reject(reason: DeadLetterReason, detail: string): Promise<void> {
    return this.#settler.settle(this, (messages) => messages.reject(this.id, this.owner, reason, detail))
  }

  requeue({ delayMs = 0, lost = false }: { delayMs?: number; lost?: boolean } = {}): Promise<void> {
    return this.#settler.settle(this, (messages) => messages.requeue(this.id, this.owner, delayMs, lost))
  }

  begun(): Promise<void> {
    return this.#settler.change((messages) => messages.begun(this.id, this.owner))
  }
}

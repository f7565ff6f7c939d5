import type { JointWrite } from './joint-write.ts'
import type { Message } from './protocol/message.ts'

/**
 * Where messages wait. Every driver keeps these promises, and `test/conformance/broker.ts` holds it to them.
 *
 * Delivery is at least once: a message leaves the broker by `ack` or for the dead-letter queue, and by
 * nothing else. Taking a message and recording that it is unacknowledged is one step, so it is never
 * outside both. All methods but `close` reject with `OperationalError` when the store cannot be reached.
 */
export interface Broker {
  /** The URL with its password masked, for people. */
  readonly url: string
  readonly supports: BrokerSupports
  /** What it keeps messages in, if writes of others to it can be committed with an acknowledgement. Known once connected. */
  readonly storage?: object

  /** Opens the store, creating what is missing. A second call does nothing. */
  connect(): Promise<void>

  /**
   * Accepts messages. Resolves when they are committed: they then survive the death of any process.
   *
   * All or none of one call is accepted. Calls made in the same turn of the event loop share a commit, so
   * many small calls cost little; one call with thousands may hold up the event loop.
   */
  publish(publications: readonly Publication[]): Promise<void>

  /**
   * Starts to hand out messages, oldest first within a priority, higher priority first.
   *
   * `onDeliveries` is called with what was claimed together. Never more than `prefetch` deliveries are out
   * at once. The broker renews the consumer's lease by itself as long as this process's event loop turns.
   */
  consume(options: ConsumeOptions): Promise<Consumer>

  /** Consumers whose lease has not run out, for `status` and for telling why a task waits. */
  consumers(): Promise<ConsumerInfo[]>

  /** How many messages a queue holds. A queue nobody wrote to is empty, not an error. */
  depth(queue: string): Promise<QueueDepth>

  /** Every queue that holds a message, be it waiting, parked, out or given up. */
  queues(): Promise<string[]>

  /** Drops the waiting and parked messages of a queue; those claimed stay. Resolves to how many. */
  purge(queue: string): Promise<number>

  /** The newest dead letters first, at most `limit`. */
  deadLetters(options?: { queue?: string; limit?: number }): Promise<DeadLetter[]>

  /** Hands `payload` to everyone subscribed to `channel` now, in this and other processes. */
  broadcast(channel: string, payload: string): Promise<void>

  /** Resolves once every later broadcast on `channel` will reach `listener`. */
  subscribe(channel: string, listener: (payload: string) => void): Promise<Subscription>

  /**
   * Takes or renews the lease `name` for `owner`; false when another owner holds it.
   *
   * A lease ends after `ttlMs`, on release, or at once when its owner is a dead process of this machine.
   */
  acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean>
  releaseLease(name: string, owner: string): Promise<void>

  /** Closes every consumer and subscription, then the connection. Safe to call twice. */
  close(): Promise<void>
}

/** What a driver can do, as data. */
export interface BrokerSupports {
  /** Delivers higher priorities first. */
  readonly priority: boolean
  /** Keeps a message with `dueAtMs` out of sight until then, across restarts. */
  readonly parking: boolean
  /** Survives the end of this process. */
  readonly durable: boolean
  /** Workers of other software, such as Celery's own, may take its messages; what is parked they do not see. */
  readonly foreignWorkers: boolean
}

/** One message on its way to a queue. */
export interface Publication {
  readonly queue: string
  readonly message: Message
  /** 0 (lowest, the default) to 9 (highest), Celery's meaning on RabbitMQ. */
  readonly priority?: number
  /** When it may first be delivered, in milliseconds since 1970. Past or absent: at once. */
  readonly dueAtMs?: number
}

/** What to consume, and whom to tell. */
export interface ConsumeOptions {
  readonly queues: readonly string[]
  /** The most deliveries out at once. */
  readonly prefetch: number
  /** Node name shown to people, e.g. `worker1@host`. */
  readonly name: string
  /** The processes that hold user code, as with {@link Consumer.setChildren}: recorded before the first claim. */
  readonly children?: readonly number[]
  readonly onDeliveries: (deliveries: readonly Delivery[]) => void
  /** A message was put into the dead-letter queue by the driver itself, e.g. because it cannot be read. */
  readonly onDeadLetter?: (letter: DeadLetter) => void
  /** The store failed; called once when it is lost and once when it is back (`undefined`). */
  readonly onFault?: (fault: Error | undefined) => void
}

/** A running consumption. */
export interface Consumer {
  readonly id: string
  setPrefetch(prefetch: number): void
  /** Says which processes hold user code, so that a recoverer can end them before it repeats their tasks. */
  setChildren(pids: readonly number[]): Promise<void>
  /** Stops fetching; what is out stays out and may still be acknowledged. Resolves when no fetch is under way. */
  pause(): Promise<void>
  /** Pauses, gives back what is unacknowledged without counting it as a delivery, and ends the lease. */
  close(): Promise<void>
}

/**
 * A message that is out with a consumer. Exactly one of `ack`, `reject`, `requeue` settles it; later calls do
 * nothing, but for the write that `ack` takes along. One that rejects has settled nothing, and any of them may be called again.
 */
export interface Delivery {
  readonly queue: string
  readonly message: Message
  /** How many times its execution was begun and lost before this delivery; 0 for a message that never was. */
  readonly losses: number
  /** When the broker accepted it, in milliseconds since 1970, if the broker knows. */
  readonly publishedAtMs: number | undefined
  /**
   * Whether it is this consumer's still, as far as can be known without asking the store: not settled, not given back,
   * and within the lease as it was last renewed.
   *
   * One that is not held must not be begun: `requeue` gives it up, which puts it back if nobody else has it yet.
   */
  readonly isHeld: boolean

  /**
   * Removes the message. Does nothing when the lease was lost meanwhile: it is then somebody else's.
   *
   * `along` is a write to the broker's own {@link Broker.storage}, made in the same commit, and made too when there is
   * nothing to remove. `atOnce`: somebody waits for it, so that it must not wait for others to go with.
   */
  ack(along?: JointWrite, atOnce?: boolean): Promise<void>

  /** Moves the message to the dead-letter queue with the reason. */
  reject(reason: DeadLetterReason, detail: string): Promise<void>

  /**
   * Puts the message back in its old place, or parks it for `delayMs`.
   *
   * `lost` counts one more begun-and-lost execution.
   */
  requeue(options?: { delayMs?: number; lost?: boolean }): Promise<void>

  /** Records that its execution has begun, so that it counts as lost if this consumer's process dies. */
  begun(): Promise<void>
}

/** Why a message was given up. */
export type DeadLetterReason = 'malformed' | 'unknown-task' | 'lost' | 'refused'

/** A message that was given up, kept with the reason. */
export interface DeadLetter {
  readonly queue: string
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly diedAtMs: number
  /** Absent when the envelope cannot be read. With the reason `malformed` its body may be empty. */
  readonly message: Message | undefined
}

/** A consumer that is alive. */
export interface ConsumerInfo {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: readonly string[]
}

/** How many messages a queue holds, by their state. */
export interface QueueDepth {
  /** Can be delivered now. */
  readonly ready: number
  /** Out with consumers. */
  readonly unacked: number
  /** Waiting for their time. */
  readonly parked: number
  /** Given up. */
  readonly dead: number
}

/** Something listened to. */
export interface Subscription {
  /** No call of the listener begins after this resolves. Safe to call twice. */
  close(): Promise<void>
}

import { InvalidTaskError } from '../../errors.ts'

/** How the keys of a broker are called, and read: kombu's transport options. Workers of both languages must agree on all names. */
export interface RedisLayout {
  /** Before every key and channel: `global_keyprefix`. */
  readonly keyPrefix: string
  /** Between a queue's name and a step of priority, and in bindings. */
  readonly sep: string
  /** The steps that foreign senders file messages by; 0 is the most urgent. */
  readonly prioritySteps: readonly number[]
  /** Before the name of a broadcast channel, the database's number within. */
  readonly fanoutPrefix: string
  readonly unackedKey: string
  readonly unackedIndexKey: string
  readonly unackedMutexKey: string
  readonly unackedMutexExpireMs: number
  /** The most foreign messages put back at once; absent for any number. */
  readonly unackedRestoreLimit: number | undefined
  /** Whether the queues of a consumer take turns, or the first one, by name or as they are given, goes before the others. */
  readonly queueOrderStrategy: 'round_robin' | 'sorted' | 'priority'
}

/** Kombu's defaults. */
export const DEFAULT_LAYOUT: RedisLayout = {
  keyPrefix: '',
  sep: '\x06\x16',
  prioritySteps: [0, 3, 6, 9],
  fanoutPrefix: '/{db}.',
  unackedKey: 'unacked',
  unackedIndexKey: 'unacked_index',
  unackedMutexKey: 'unacked_mutex',
  unackedMutexExpireMs: 300_000,
  unackedRestoreLimit: undefined,
  queueOrderStrategy: 'round_robin',
}

/** Keys of other things begin so, whoever keeps them in the same database. */
const NOT_QUEUES = ['celeriac.', '_kombu.binding.', 'celery-task-meta-', 'celery-taskset-meta-']

/** Names of keys. Kombu's own are where kombu has them, ours begin with `celeriac.`, and Python never looks at those. */
export class Keys {
  /** Hash: id of a claim, or a foreign delivery tag, to `[envelope, exchange, routing key]`. */
  readonly unacked: string
  /** Sorted set: the same ids by the second of the delivery, ours by that of the last renewal. */
  readonly index: string
  /** Held by whoever sweeps what foreign workers left. */
  readonly mutex: string
  /** Hash: registration to what a consumer says of itself. */
  readonly consumers: string
  /** Sorted set: the same registrations by the end of their leases; 0 while a dead one's messages are put back. */
  readonly consumerLeases: string
  /** List of dead letters, the newest first, and hash of how many each queue has. */
  readonly dead: string
  readonly deadCounts: string
  /** Set of the queues that we know. */
  readonly queues: string
  /** Begins the key of each binding set, of each queue's parked messages, and of each lease. */
  readonly bindingPrefix: string
  readonly parkedPrefix: string
  readonly #leasePrefix: string
  readonly #channelPrefix: string
  readonly layout: RedisLayout
  /** What a step other than 0 adds to the key of a queue. */
  readonly #suffixes: readonly string[]

  constructor(layout: RedisLayout, database: number) {
    const { keyPrefix, sep, prioritySteps, fanoutPrefix } = layout
    this.layout = layout
    this.unacked = keyPrefix + layout.unackedKey
    this.index = keyPrefix + layout.unackedIndexKey
    this.mutex = keyPrefix + layout.unackedMutexKey
    this.consumers = `${keyPrefix}celeriac.consumers`
    this.consumerLeases = `${keyPrefix}celeriac.consumers.leases`
    this.dead = `${keyPrefix}celeriac.dead`
    this.deadCounts = `${keyPrefix}celeriac.dead.queues`
    this.queues = `${keyPrefix}celeriac.queues`
    this.bindingPrefix = `${keyPrefix}_kombu.binding.`
    this.parkedPrefix = `${keyPrefix}celeriac.parked.`
    this.#leasePrefix = `${keyPrefix}celeriac.lease.`
    this.#channelPrefix = keyPrefix + fanoutPrefix.replace('{db}', String(database))
    this.#suffixes = prioritySteps.filter((step) => step > 0).map((step) => `${sep}${step}`)
  }

  /** @throws {@link InvalidTaskError} for a queue whose list would have the key of something else. */
  checkQueue(queue: string): void {
    const { sep, unackedKey, unackedIndexKey, unackedMutexKey } = this.layout
    const isTaken = queue === unackedKey || queue === unackedIndexKey || queue === unackedMutexKey || queue.includes(sep)
    if (!isTaken && !NOT_QUEUES.some((prefix) => queue.startsWith(prefix))) return
    throw new InvalidTaskError(`The queue ${JSON.stringify(queue)} would have the name of a key in which Redis keeps something else. Choose another name.`)
  }

  /** The list of what is most urgent to kombu; the only one that we publish to. */
  list(queue: string): string {
    return this.layout.keyPrefix + queue
  }

  /** All lists of a queue, in the order in which they are consumed. */
  lists(queue: string): string[] {
    const list = this.list(queue)
    return [list, ...this.#suffixes.map((suffix) => list + suffix)]
  }

  parked(queue: string): string {
    return this.parkedPrefix + queue
  }

  /** The member that binds a queue to the direct exchange of its name, as Python's default declaration does. */
  binding(queue: string): { key: string; member: string } {
    const { sep } = this.layout
    return { key: this.bindingPrefix + queue, member: `${queue}${sep}${sep}${queue}` }
  }

  lease(name: string): string {
    return this.#leasePrefix + name
  }

  channel(name: string): string {
    return this.#channelPrefix + name
  }
}

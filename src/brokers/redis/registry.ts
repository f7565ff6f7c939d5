import type { ConsumerInfo } from '../../broker.ts'
import type { Child } from '../../internal/child-processes.ts'
import { isDead, running } from '../../internal/liveness.ts'
import { type ProcessIdentity, thisProcess } from '../../internal/process-identity.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { LIST_CONSUMERS, MARK_DEAD, REGISTER, RENEW, UNREGISTER } from './lua/consumers.ts'

/** What a consumer says of itself. */
export interface ConsumerDescription {
  readonly id: string
  readonly name: string
  readonly queues: readonly string[]
  readonly children: readonly Child[]
}

/** A consumer as it is registered. */
export interface RegisteredConsumer extends ConsumerDescription, ProcessIdentity {
  /** Begins the ids of its claims. Another one each time it has to register anew. */
  readonly registration: string
  /** How long its lease is each time it is renewed. */
  readonly leaseMs?: number
  /** End of its lease; 0 while its messages are put back. */
  readonly leaseUntilMs: number
}

/** Who consumes: each consumer has a lease, under which all its messages are out. */
export class Registry {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #leaseMs: number

  constructor(connection: RedisConnection, keys: Keys, leaseMs: number) {
    this.#connection = connection
    this.#keys = keys
    this.#leaseMs = leaseMs
  }

  /** Registers under a name that was never used; resolves to the end of the lease. */
  async register(registration: string, consumer: ConsumerDescription): Promise<number> {
    running.add(consumer.id)
    const untilMs = this.#leaseEnd()
    await this.#connection.runRepeatable((client) => REGISTER.run(client, this.#tables, [registration, this.#describe(consumer), Math.floor(untilMs)]))
    return untilMs
  }

  /** Renews the lease and that of the claims; `consumer` is given when it has changed. Undefined when the registration is gone. */
  async renew(registration: string, claims: readonly string[], consumer?: ConsumerDescription): Promise<number | undefined> {
    const nowMs = this.#connection.now()
    const args = [registration, Math.floor(nowMs + this.#leaseMs), consumer === undefined ? '' : this.#describe(consumer), nowMs / 1000, ...claims]
    const there = await this.#connection.runRepeatable((client) => RENEW.run(client, [...this.#tables, this.#keys.index], args))
    return there === 1 ? nowMs + this.#leaseMs : undefined
  }

  async unregister(registration: string): Promise<void> {
    await this.#connection.runRepeatable((client) => UNREGISTER.run(client, this.#tables, [registration]))
  }

  /** The consumption has ended, so that its registration, should it have stayed, is a dead consumer's. */
  ended(id: string): void {
    running.delete(id)
  }

  /** Whether it is a consumption of this process. */
  runsHere({ id }: RegisteredConsumer): boolean {
    return running.has(id)
  }

  /** Keeps a consumer found dead from claiming, unless it has renewed its lease since; whether it is dead. */
  async markDead({ registration, leaseUntilMs }: RegisteredConsumer): Promise<boolean> {
    return (await this.#connection.run((client) => MARK_DEAD.run(client, [this.#keys.consumerLeases], [registration, leaseUntilMs]))) === 1
  }

  /** Everyone who is registered, alive or not. */
  async all(): Promise<RegisteredConsumer[]> {
    const listed = (await this.#connection.run((client) => LIST_CONSUMERS.run(client, this.#tables, []))) as string[]
    const all: RegisteredConsumer[] = []
    for (let at = 0; at + 2 < listed.length; at += 3) {
      const described = readDescription(listed[at + 1] ?? '')
      if (described !== undefined) all.push({ ...described, registration: listed[at] ?? '', leaseUntilMs: Number(listed[at + 2]) })
    }
    return all
  }

  /** Of all those, the consumers whose process is gone from this machine, and, if `byLease`, those whose lease ran out. */
  dead(all: readonly RegisteredConsumer[], byLease: boolean): RegisteredConsumer[] {
    return all.filter((one) => this.#isDead(one, byLease))
  }

  async alive(): Promise<ConsumerInfo[]> {
    const all = await this.all()
    return all.filter((one) => !this.#isDead(one, true)).map(({ id, name, host, pid, queues }) => ({ id, name, host, pid, queues }))
  }

  get #tables(): string[] {
    return [this.#keys.consumers, this.#keys.consumerLeases]
  }

  #leaseEnd(): number {
    return this.#connection.now() + this.#leaseMs
  }

  #describe(consumer: ConsumerDescription): string {
    return JSON.stringify({ ...consumer, ...thisProcess(), leaseMs: this.#leaseMs })
  }

  #isDead(one: RegisteredConsumer, byLease: boolean): boolean {
    return one.leaseUntilMs === 0 || isDead(one.id, one, byLease && !(one.leaseUntilMs > this.#connection.now()))
  }
}

/** Undefined for what is no description: somebody else wrote it. */
function readDescription(text: string): Omit<RegisteredConsumer, 'registration' | 'leaseUntilMs'> | undefined {
  try {
    const read = JSON.parse(text) as Omit<RegisteredConsumer, 'registration' | 'leaseUntilMs'>
    return Array.isArray(read.queues) && Array.isArray(read.children) && typeof read.pid === 'number' ? read : undefined
  } catch {
    return undefined
  }
}

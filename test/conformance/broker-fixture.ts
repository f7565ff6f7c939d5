import type { Broker, ConsumeOptions, Consumer, DeadLetter, Delivery, Publication } from '../../src/broker.ts'
import type { Clock } from '../../src/internal/clock.ts'
import { within } from '../support/within.ts'

/** One store, empty at first, that a test opens as often as it likes. */
export interface BrokerFixture {
  /** A new connection, connected. */
  open(options?: BrokerFixtureOptions): Promise<Broker>
  /** Where other processes find the same store; undefined when they cannot. */
  readonly shared: { readonly url: string; readonly root: string } | undefined
  /** Closes what is open and removes the store. */
  dispose(): Promise<void>
}

export interface BrokerFixtureOptions {
  readonly clock?: Clock
  readonly maxMessageSize?: number
  readonly visibilityTimeoutMs?: number
}

/** A message whose id says which it is. */
export function publication(id: string, options: Partial<Publication> = {}): Publication {
  return {
    queue: 'q',
    ...options,
    message: { body: `["${id}"]`, contentType: 'application/json', contentEncoding: 'utf-8', headers: { id, task: 'test' }, properties: { correlation_id: id } },
  }
}

/** Numbered messages. */
export function publications(count: number, options: Partial<Publication> = {}): Publication[] {
  return Array.from({ length: count }, (_, index) => publication(`m${index}`, options))
}

/** A consumer that keeps what it is given. */
export interface Collector {
  readonly consumer: Consumer
  readonly deliveries: Delivery[]
  readonly letters: DeadLetter[]
  /** Ids in the order of delivery. */
  ids(): string[]
  /** Resolves to the first `count` deliveries once there are so many. */
  received(count: number): Promise<Delivery[]>
}

/** Starts a {@link Collector}; it settles nothing by itself unless `onDelivery` does. */
export async function collect(broker: Broker, options: Partial<ConsumeOptions> & { onDelivery?: (delivery: Delivery) => void } = {}): Promise<Collector> {
  const deliveries: Delivery[] = []
  const letters: DeadLetter[] = []
  const waiting = new Set<() => void>()
  const { onDelivery, ...consumeOptions } = options
  const consumer = await broker.consume({
    queues: ['q'],
    prefetch: 100,
    name: 'test@here',
    onDeliveries: (batch) => {
      deliveries.push(...batch)
      for (const delivery of batch) onDelivery?.(delivery)
      for (const check of waiting) check()
    },
    onDeadLetter: (letter) => letters.push(letter),
    ...consumeOptions,
  })
  const received = (count: number): Promise<Delivery[]> => {
    const { promise, resolve } = Promise.withResolvers<Delivery[]>()
    const check = (): void => {
      if (deliveries.length >= count) resolve(deliveries.slice(0, count))
    }
    waiting.add(check)
    check()
    return within(promise, `${count} deliveries`, 10_000)
  }
  return { consumer, deliveries, letters, ids: () => deliveries.map(idOf), received }
}

/** The id that {@link publication} gave a message. */
export function idOf(delivery: Delivery): string {
  return String(delivery.message.headers['id'])
}

/** Publishes a last message and waits for it: whatever would have come before it has come by then. */
export async function expectNothingMore(broker: Broker, collector: Collector): Promise<void> {
  const count = collector.deliveries.length
  await broker.publish([publication('last')])
  const deliveries = await collector.received(count + 1)
  const last = deliveries.at(-1)
  if (last === undefined || idOf(last) !== 'last') throw new Error(`Expected nothing more, got ${collector.ids().slice(count).join(', ')}.`)
  await last.ack()
}

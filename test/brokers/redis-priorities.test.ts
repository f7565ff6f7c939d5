import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Broker, Publication } from '../../src/broker.ts'
import { collect, publication, publications } from '../conformance/broker-fixture.ts'
import { describeRedis } from '../support/redis-server.ts'
import { redisFixture, type RedisFixture } from './redis-fixture.ts'

describeRedis('priorities in Redis', () => {
  let fixture: RedisFixture
  let broker: Broker

  beforeEach(async () => {
    fixture = await redisFixture()
    broker = await fixture.open()
  })

  afterEach(() => fixture.dispose())

  /** Ids in the order in which any worker, Python's too, would take them. */
  async function line(queue = 'q'): Promise<unknown[]> {
    const elements = await (await fixture.client()).lRange(queue, 0, -1)
    return elements.reverse().map((element) => (JSON.parse(element) as { headers: { id: unknown } }).headers.id)
  }

  test('sorts any mixture, oldest first within a priority', async () => {
    const sent = Array.from({ length: 200 }, (_, index) => ({ id: `m${index}`, priority: (index * 7) % 10 }))
    for (let from = 0; from < sent.length; from += 13) await broker.publish(sent.slice(from, from + 13).map(({ id, priority }) => publication(id, { priority })))

    const expected = sent.toSorted((a, b) => b.priority - a.priority).map(({ id }) => id)

    expect(await line()).toEqual(expected)
  })

  test('keeps the order of what is urgent alone', async () => {
    for (let index = 0; index < 150; index += 1) await broker.publish([publication(`m${index}`, { priority: 5 })])
    await broker.publish([publication('more urgent', { priority: 6 })])

    expect(await line()).toEqual(['more urgent', ...publications(150).map(({ message }) => message.headers['id'])])
  })

  test('puts what comes back behind what is more urgent, and before what came later', async () => {
    await broker.publish([publication('a', { priority: 4 }), publication('b', { priority: 4 }), publication('c')])
    const collector = await collect(broker, { prefetch: 3 })
    const [a, b, c] = await collector.received(3)
    await collector.consumer.pause()
    await broker.publish([publication('d', { priority: 4 }), publication('e'), publication('urgent', { priority: 9 })])

    for (const delivery of [a, c, b]) await delivery?.requeue()

    expect(await line()).toEqual(['urgent', 'a', 'b', 'd', 'c', 'e'])
  })

  test('takes the urgent messages of several queues first', async () => {
    await broker.publish(publications(3, { queue: 'a' }))
    await broker.publish([publication('low', { queue: 'b' }), publication('high', { queue: 'b', priority: 3 }), publication('highest', { queue: 'c', priority: 8 })])

    const collector = await collect(broker, { queues: ['a', 'b', 'c'], prefetch: 2 })
    await collector.received(2)

    expect(collector.ids()).toEqual(['highest', 'high'])
  })

  test.each([
    ['round_robin', ['b0', 'b1', 'a0', 'a1']],
    ['priority', ['b0', 'b1', 'b2', 'a0']],
    ['sorted', ['a0', 'a1', 'b0', 'b1']],
  ] as const)('takes from several queues by the order strategy %s', async (queueOrderStrategy, expected) => {
    const ordered = await fixture.openWith({ redis: { queueOrderStrategy } })
    const queue = (name: string, count: number): Publication[] => Array.from({ length: count }, (_, index) => publication(`${name}${index}`, { queue: name }))
    await ordered.publish([...queue('a', 2), ...queue('b', 3)])

    const collector = await collect(ordered, { queues: ['b', 'a'], prefetch: 4 })
    await collector.received(4)

    expect(collector.ids()).toEqual(expected)
  })

  test('puts a parked urgent message back before what is not', async () => {
    await broker.publish(publications(3))
    await broker.publish([publication('later', { priority: 2, dueAtMs: Date.now() + 300 })])
    const collector = await collect(broker, { prefetch: 1 })
    const [first] = await collector.received(1)
    await expect.poll(() => broker.depth('q'), { message: 'the parked message to be put back', timeout: 5000 }).toMatchObject({ ready: 3, parked: 0 })

    await first?.ack()
    await collector.received(2)

    expect(collector.ids()).toEqual(['m0', 'later'])
  })

  test('looks at a bounded number of messages', async () => {
    await broker.publish(publications(2500, { priority: 5 }))
    await broker.publish([publication('low')])
    await broker.publish([publication('late', { priority: 5 })])

    const ids = await line()

    expect(ids).toHaveLength(2502)
    expect(ids.indexOf('late')).toBeGreaterThan(1500)
    expect(ids.at(-1)).toBe('low')
  })
})

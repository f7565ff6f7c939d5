import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Broker } from '../../src/broker.ts'
import { type Collector, collect, publication } from '../conformance/broker-fixture.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { describeRedis } from '../support/redis-server.ts'
import { type RedisFixture, redisFixture } from './redis-fixture.ts'

/** Its clock stands still, so that it never looks by itself. */
describeRedis('a consumer that has to be told', () => {
  let fixture: RedisFixture
  let clock: ManualClock
  let broker: Broker
  let other: Broker
  let collector: Collector

  beforeEach(async () => {
    fixture = await redisFixture()
    clock = new ManualClock(Date.now())
    broker = await fixture.open({ clock })
    other = await fixture.open({ clock })
    collector = await collect(broker)
    await settleOne('first')
  })

  afterEach(async () => {
    vi.useRealTimers()
    await fixture.dispose()
  })

  /** Has it claim until nothing is left. */
  async function settleOne(id: string): Promise<void> {
    const count = collector.deliveries.length + 1
    await other.publish([publication(id)])
    const deliveries = await collector.received(count)
    await deliveries.at(-1)?.ack()
  }

  test('hears of what others publish, time after time', async () => {
    for (const id of ['a', 'b', 'c']) await settleOne(id)

    expect(collector.ids()).toEqual(['first', 'a', 'b', 'c'])
  })

  test('hears of what its own connection publishes', async () => {
    await broker.publish([publication('own')])

    expect((await collector.received(2)).length).toBe(2)
  })

  test('hears of what it gives back itself, and of what another consumer of its connection does', async () => {
    await broker.publish([publication('a')])
    const [, delivery] = await collector.received(2)
    await delivery?.requeue()
    const [, , again] = await collector.received(3)
    await collector.consumer.close()
    const second = await collect(broker)
    await again?.requeue().catch(() => {})

    expect((await second.received(1)).length).toBe(1)
  })

  test('hears of the next message after one from a list of Python\'s priorities', async () => {
    const client = await fixture.client()
    await other.publish([publication('a')])
    await collector.received(2)
    const envelope = { body: 'W10=', 'content-encoding': 'utf-8', 'content-type': 'application/json', headers: { id: 'low', task: 'test' } }
    const properties = { correlation_id: 'low', delivery_tag: 'tag', body_encoding: 'base64', priority: 3, delivery_info: { exchange: '', routing_key: 'q' } }
    await client.lPush('q\x06\x163', JSON.stringify({ ...envelope, properties }))
    await collector.received(3)

    await settleOne('next')
    expect(collector.ids()).toEqual(['first', 'a', 'low', 'next'])
  })

  test('hears of the next message while another is parked, and of what is parked after a purge', async () => {
    await other.publish([publication('later', { dueAtMs: clock.now() + 3_600_000 })])
    await settleOne('next')
    await broker.purge('q')
    const startMs = clock.now()
    await other.publish([publication('soon', { dueAtMs: startMs + 5 })])

    await expect.poll(() => (clock.advance(1), collector.ids()), { timeout: 10_000 }).toEqual(['first', 'next', 'soon'])
    // Had it not been told, it would have looked after a second.
    expect(clock.now() - startMs).toBeLessThan(900)
  })

  test('acknowledges at once where somebody waits for that, and soon where nobody does', async () => {
    await broker.publish([publication('a'), publication('b')])
    const [, a, b] = await collector.received(3)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await a?.ack(undefined, true)
    let isDone = false
    const acked = b?.ack().then(() => (isDone = true))
    await broker.depth('q')

    expect(isDone).toBe(false)
    vi.advanceTimersByTime(5)
    await acked
    expect(await broker.depth('q')).toMatchObject({ ready: 0, unacked: 0 })
  })
})

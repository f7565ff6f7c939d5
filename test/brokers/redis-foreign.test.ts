import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/internal/clock.ts'
import { collect, publication } from '../conformance/broker-fixture.ts'
import { RecordedLog } from '../support/recorded-log.ts'
import { describeRedis, type TestRedisClient } from '../support/redis-server.ts'
import { describeKombu, kombu, publishFromPython } from './kombu.ts'
import { redisFixture, type RedisFixture } from './redis-fixture.ts'

const SEP = '\x06\x16'

/** Long ago, in seconds. */
const EXPIRED = Date.now() / 1000 - 7200

let fixture: RedisFixture
let client: TestRedisClient

beforeEach(async (context) => {
  if (context.task.mode === 'skip') return
  fixture = await redisFixture()
  client = await fixture.client()
})

afterEach(() => fixture.dispose())

function envelope(id: string, { exchange = '', key = 'q', priority = 0 } = {}): string {
  const properties = { correlation_id: id, delivery_info: { exchange, routing_key: key }, priority, body_encoding: 'base64', delivery_tag: id }
  return `{"body": "W10=", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"id": "${id}", "ratio": 1.0, "none": []}, "properties": ${JSON.stringify(properties)}}`
}

/** Files a message as a Python worker that took it does. */
async function file(id: string, options: { exchange?: string; key?: string; priority?: number } = {}, score: number = EXPIRED): Promise<void> {
  const { exchange = '', key = 'q' } = options
  await client.hSet('unacked', id, `[${envelope(id, options)}, "${exchange}", "${key}"]`)
  await client.zAdd('unacked_index', { value: id, score })
}

describeRedis('what a foreign worker left', () => {
  test('is delivered when its time is over, as it was, with the flags that kombu sets', async () => {
    await file('late')
    await file('at work', {}, Date.now() / 1000 - 10)
    const collector = await collect(await fixture.open(), { prefetch: 1 })

    const [delivery] = await collector.received(1)

    expect(delivery?.message.headers).toEqual({ id: 'late', ratio: 1, none: [], redelivered: true })
    expect(delivery?.message.properties['delivery_info']).toEqual({ exchange: '', routing_key: 'q', redelivered: true })
    const [, value = ''] = Object.entries(await client.hGetAll('unacked')).find(([id]) => id.startsWith('celeriac:')) ?? []
    expect(value).toContain('"ratio": 1.0, "none": []')
    expect(await client.hExists('unacked', 'at work')).toBe(1)
    expect(await client.exists('unacked_mutex')).toBe(0)
  })

  test('goes to the list of its step', async () => {
    await file('six', { priority: 7 })
    const collector = await collect(await fixture.open(), { queues: ['elsewhere'] })

    await expect.poll(() => client.lLen(`q${SEP}6`), { message: 'the message to come back', timeout: 5000 }).toBe(1)

    expect(collector.deliveries).toEqual([])
    expect(await client.zCard('unacked_index')).toBe(0)
  })

  test('goes where its exchange leads, by key or by pattern', async () => {
    await client.sAdd('_kombu.binding.direct', [`a${SEP}${SEP}qa`, `b${SEP}${SEP}qb`])
    await client.sAdd('_kombu.binding.topic', [String.raw`media.#${SEP}^media\..*?$${SEP}all`, String.raw`*.video${SEP}^.*?[^\.]\.video$${SEP}video`, String.raw`a+${SEP}^a\+$${SEP}no`])
    await file('direct', { exchange: 'direct', key: 'b' })
    await file('topic', { exchange: 'topic', key: 'media.video' })
    await collect(await fixture.open(), { queues: ['elsewhere'] })

    await expect.poll(() => client.hLen('unacked'), { message: 'the messages to come back', timeout: 5000 }).toBe(0)

    expect(await Promise.all(['qa', 'qb', 'all', 'video', 'no'].map((queue) => client.lLen(queue)))).toEqual([0, 1, 1, 1, 0])
  })

  test('stays where it is, and is said once, when nobody knows where it belongs', async () => {
    await file('stray', { exchange: 'unknown', key: 'x' })
    await client.hSet('unacked', 'broken', 'hello')
    await client.zAdd('unacked_index', { value: 'broken', score: EXPIRED })
    await client.zAdd('unacked_index', { value: 'nothing', score: EXPIRED })
    const log = new RecordedLog()
    const broker = await fixture.openWith({ logger: log })
    const collector = await collect(broker)

    await file('other')
    await collector.received(1)
    await expect.poll(() => client.zScore('unacked_index', 'nothing'), { timeout: 5000 }).toBeNull()

    expect(await client.hKeys('unacked')).toEqual(expect.arrayContaining(['stray', 'broken']))
    expect(log.lines.filter((line) => line.includes('no known queue'))).toHaveLength(2)
  })

  test('is left to whoever holds the lock', async () => {
    await client.set('unacked_mutex', 'somebody', { expiration: { type: 'PX', value: 1500 } })
    await file('late')
    const broker = await fixture.open()
    const collector = await collect(broker)
    expect(await client.zScore('unacked_index', 'late')).not.toBeNull()

    await collector.received(1)

    expect(await client.exists('unacked_mutex')).toBe(0)
  })

  test('comes back after the timeout that is configured', async () => {
    await file('late', {}, Date.now() / 1000 - 20)
    const collector = await collect(await fixture.openWith({ foreignVisibilityTimeoutMs: 15_000 }))

    expect(await collector.received(1)).toHaveLength(1)
  })

  test('includes a claim of ours that nobody renews', async () => {
    await client.hSet('unacked', 'celeriac:gone.1:7', `[${envelope('orphan')}, "", "q"]`)
    await client.zAdd('unacked_index', { value: 'celeriac:gone.1:7', score: EXPIRED })

    const collector = await collect(await fixture.open())

    expect(await collector.received(1)).toHaveLength(1)
  })

  test('comes back too when it is written without blanks', async () => {
    await client.hSet('unacked', 'tight', `[${envelope('tight').replaceAll(/([:,]) /g, '$1')},"","q"]`)
    await client.zAdd('unacked_index', { value: 'tight', score: EXPIRED })

    const [delivery] = await (await collect(await fixture.open())).received(1)

    expect(delivery?.message.headers).toEqual({ id: 'tight', ratio: 1, none: [], redelivered: true })
  })

  test('comes back though others before it cannot, which is said once of each', async () => {
    await client.set('text', 'no list')
    await file('misplaced', { key: 'text' }, EXPIRED + 2)
    await client.hSet('unacked', 'long', `[${envelope('long')}, "", "q", 5]`)
    await client.zAdd('unacked_index', { value: 'long', score: EXPIRED + 1 })
    await file('late')
    const log = new RecordedLog()
    const broker = await fixture.openWith({ logger: log })

    const collector = await collect(broker)
    await collector.received(1)
    await file('later')
    await collector.received(2)

    expect(collector.ids()).toEqual(['late', 'later'])
    expect(await client.hKeys('unacked')).toEqual(expect.arrayContaining(['misplaced', 'long']))
    expect(log.lines.filter((line) => line.includes('cannot be put back (') && line.includes('WRONGTYPE'))).toHaveLength(1)
    expect(log.lines.filter((line) => line.includes('not written as kombu writes one'))).toHaveLength(1)
  })

  test('includes a claim of ours in nobody’s hands though its consumer lives, and none that may still be renewed', async () => {
    const patient = await collect(await fixture.openWith({ visibilityTimeoutMs: 60_000 }), { queues: ['elsewhere'] })
    const quick = await collect(await fixture.openWith({ visibilityTimeoutMs: 1500 }), { queues: ['elsewhere'] })
    const claim = async ({ consumer }: typeof quick, number: number, age: number): Promise<void> => {
      const id = `celeriac:${consumer.id}.1:${number}`
      await client.hSet('unacked', id, `[${envelope(id)}, "", "q"]`)
      await client.zAdd('unacked_index', { value: id, score: Date.now() / 1000 - age })
    }
    for (const age of [70, 50]) await claim(quick, age, age)
    for (const age of [200, 100]) await claim(patient, age, age)

    const collector = await collect(await fixture.openWith({ visibilityTimeoutMs: 1500 }))
    await collector.received(2)

    expect(collector.ids().toSorted()).toEqual([`celeriac:${patient.consumer.id}.1:200`, `celeriac:${quick.consumer.id}.1:70`].toSorted())
    const left = (await client.hKeys('unacked')).filter((id) => !id.includes(collector.consumer.id))
    expect(left.toSorted()).toEqual([`celeriac:${patient.consumer.id}.1:100`, `celeriac:${quick.consumer.id}.1:50`].toSorted())
  })

  test('comes back in the order in which it was taken', async () => {
    for (const index of [3, 1, 2]) await file(`m${index}`, {}, EXPIRED + index)

    const collector = await collect(await fixture.open())
    await collector.received(3)

    expect(collector.ids()).toEqual(['m1', 'm2', 'm3'])
  })
})

describeKombu('with kombu', () => {
  test('delivers what a killed Python worker had', async () => {
    await publishFromPython(fixture.url, 'q', [{ id: 'one' }, { id: 'two' }])
    await kombu(fixture.url, 'queue = declare("q")\nqueue.get()\nqueue.get()')
    expect(await client.hLen('unacked')).toBe(2)

    const broker = await fixture.openWith({ foreignVisibilityTimeoutMs: 500 })
    const collector = await collect(broker)
    const deliveries = await collector.received(2)
    await Promise.all(deliveries.map((delivery) => delivery.ack()))

    expect(new Set(collector.ids())).toEqual(new Set(['one', 'two']))
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  })

  test('keeps what it has out from a Python sweeper as long as it lives', async () => {
    const broker = await fixture.openWith({ visibilityTimeoutMs: 900, clock: systemClock })
    await broker.publish([publication('slow')])
    const collector = await collect(broker)
    const [delivery] = await collector.received(1)

    // Sweeps every tenth of a second, for longer than three leases, with a timeout of a lease.
    await kombu(fixture.url, 'end = time.time() + 3\nwhile time.time() < end:\n    channel.qos.restore_visible(num=None, interval=1)\n    time.sleep(0.1)', { visibility_timeout: 2 })

    expect(collector.ids()).toEqual(['slow'])
    expect(delivery?.isHeld).toBe(true)
    await delivery?.ack()
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  })
})

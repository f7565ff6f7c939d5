import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Broker } from '../../src/broker.ts'
import { collect, idOf, publication } from '../conformance/broker-fixture.ts'
import { describeRedis, type TestRedisClient } from '../support/redis-server.ts'
import { describeKombu, kombu, publishFromPython } from './kombu.ts'
import { redisFixture, type RedisFixture } from './redis-fixture.ts'

const SEP = '\x06\x16'

let fixture: RedisFixture
let broker: Broker
let client: TestRedisClient

beforeEach(async (context) => {
  if (context.task.mode === 'skip') return
  fixture = await redisFixture()
  broker = await fixture.open()
  client = await fixture.client()
})

afterEach(() => fixture.dispose())

describeRedis('the layout in Redis', () => {
  test('keeps a message in the list of its queue with all that kombu asks for', async () => {
    await broker.publish([publication('one')])

    const [element] = await client.lRange('q', 0, -1)
    const envelope = JSON.parse(element ?? '') as Record<string, unknown>

    expect(envelope).toMatchObject({
      body: Buffer.from('["one"]').toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { id: 'one', task: 'test' },
      properties: { correlation_id: 'one', delivery_info: { exchange: '', routing_key: 'q' }, priority: 0, body_encoding: 'base64', delivery_tag: expect.stringMatching(/^[0-9a-f-]{36}$/) as string },
    })
  })

  test('declares a queue as Python declares its default one', async () => {
    await broker.publish([publication('one', { queue: 'celery' })])

    // As captured of Celery 5.2.6.
    expect(await client.sMembers('_kombu.binding.celery')).toEqual(['celery\u0006\u0016\u0006\u0016celery'])
  })

  test('writes an urgent message with the wire priority 0 and gives it back with its own', async () => {
    const { message } = publication('urgent')
    await broker.publish([{ queue: 'q', priority: 9, message: { ...message, properties: { ...message.properties, priority: 9 } } }])

    const [element] = await client.lRange('q', 0, -1)
    expect(JSON.parse(element ?? '')).toMatchObject({ 'celeriac-priority': 9, properties: { priority: 0 } })
    const [delivery] = await (await collect(broker)).received(1)
    expect(delivery?.message.properties).toEqual({ correlation_id: 'urgent', priority: 9 })
  })

  test('files what is out under ids of its own, in the form of kombu', async () => {
    await broker.publish([publication('one')])
    const [element] = await client.lRange('q', 0, -1)
    const collector = await collect(broker)
    await collector.received(1)

    const [[id, value] = []] = Object.entries(await client.hGetAll('unacked'))

    expect(id).toMatch(new RegExp(`^celeriac:${collector.consumer.id}\\.1:1$`))
    expect(value).toBe(`[${element}, "", "q"]`)
    const [{ value: member, score } = { value: '', score: 0 }] = await client.zRangeWithScores('unacked_index', 0, -1)
    expect(member).toBe(id)
    expect(Math.abs(score - Date.now() / 1000)).toBeLessThan(60)
  })

  test('writes a loss in front of the envelope and leaves the rest as it is', async () => {
    await broker.publish([publication('one')])
    const [element = ''] = await client.lRange('q', 0, -1)
    const [delivery] = await (await collect(broker)).received(1)

    await delivery?.begun()

    const [value] = Object.values(await client.hGetAll('unacked'))
    expect(value).toBe(`[{"celeriac-losses": 1, ${element.slice(1)}, "", "q"]`)
  })

  test('puts the prefix in front of every key and channel', async () => {
    const prefixed = await fixture.openWith({ redis: { keyPrefix: 'tenant1:' } })
    await prefixed.publish([publication('one'), publication('later', { dueAtMs: Date.now() + 3_600_000 })])
    await prefixed.acquireLease('beat', 'me', 60_000)
    const collector = await collect(prefixed)
    const [delivery] = await collector.received(1)
    await delivery?.reject('refused', 'no')
    await prefixed.publish([publication('two')])
    await collector.received(2)
    const channels: string[] = []
    const listener = client.duplicate()
    await listener.connect()
    await listener.pSubscribe('*', (_message, channel) => channels.push(channel))

    await prefixed.broadcast('celery.pidbox', '{}')

    await expect.poll(() => channels).toEqual([`tenant1:/${new URL(fixture.url).pathname.slice(1)}.celery.pidbox`])
    const keys = await client.keys('*')
    expect(keys).toEqual(expect.arrayContaining(['tenant1:unacked', 'tenant1:unacked_index', 'tenant1:_kombu.binding.q', 'tenant1:celeriac.dead']))
    expect(keys.filter((key) => !key.startsWith('tenant1:'))).toEqual([])
    listener.destroy()
  })

  test('uses the separator, the steps and the names of keys that it is told', async () => {
    const other = await fixture.openWith({ redis: { sep: ':', prioritySteps: [0, 5], unackedKey: 'out', unackedIndexKey: 'out_index' } })
    await other.publish([publication('one')])
    const [element = ''] = await client.lRange('q', 0, -1)
    await client.lPush('q:5', element.replaceAll('one', 'two'))

    const collector = await collect(other)
    await collector.received(2)

    expect(collector.ids()).toEqual(['one', 'two'])
    expect(await client.sMembers('_kombu.binding.q')).toEqual(['q::q'])
    expect(await client.hLen('out')).toBe(2)
    expect(await client.zCard('out_index')).toBe(2)
  })

  test('says how much there is in the lists of every step', async () => {
    await broker.publish([publication('one')])
    const [element = ''] = await client.lRange('q', 0, -1)
    await client.lPush(`q${SEP}3`, element)

    expect((await broker.depth('q')).ready).toBe(2)
    expect(await broker.purge('q')).toBe(2)
    expect(await client.exists(['q', `q${SEP}3`])).toBe(0)
  })

  test('knows no more of a queue that was purged, unless it has a dead letter or a message out', async () => {
    await broker.publish(['q', 'dead', 'out'].map((queue) => ({ ...publication(queue), queue })))
    const collector = await collect(broker, { queues: ['dead', 'out'] })
    const deliveries = await collector.received(2)
    await deliveries.find((delivery) => idOf(delivery) === 'dead')?.reject('refused', 'no')

    for (const queue of ['q', 'dead', 'out']) await broker.purge(queue)

    expect((await client.sMembers('celeriac.queues')).toSorted()).toEqual(['dead', 'out'])
    await broker.publish([publication('again')])
    expect(await client.sMembers('celeriac.queues')).toContain('q')
  })
})

describeKombu('with kombu', () => {
  test('gives Python what we published', async () => {
    await broker.publish([publication('one')])

    const [read] = await kombu(fixture.url, 'message = declare("q").get()\nsay([message.payload, message.headers, message.properties["correlation_id"]])\nmessage.ack()')

    expect(read).toEqual([['one'], { id: 'one', task: 'test' }, 'one'])
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  })

  test('delivers what Python published, in its order of steps, and files it so that kombu can put it back', async () => {
    await publishFromPython(fixture.url, 'q', [{ id: 'nine', priority: 9 }, { id: 'three', priority: 3 }, { id: 'zero' }, { id: 'one', priority: 1 }])
    await broker.publish([publication('ours'), publication('urgent', { priority: 5 })])
    const collector = await collect(broker)

    const deliveries = await collector.received(6)

    expect(collector.ids()).toEqual(['urgent', 'zero', 'one', 'ours', 'three', 'nine'])
    expect(deliveries[1]?.message.body).toBe('{"n": "zero"}')
    expect(deliveries[1]?.publishedAtMs).toBeUndefined()
    await collector.consumer.pause()
    const read = `
channel.qos.restore_visible(num=None)
messages = []
while True:
    message = declare("q").get()
    if message is None: break
    messages.append([message.headers["id"], message.headers.get("redelivered")])
say(messages)`
    const [restored] = await kombu(fixture.url, read, { visibility_timeout: -5 })
    expect(new Set(restored as unknown[])).toEqual(new Set(['zero', 'one', 'three', 'nine', 'urgent', 'ours'].map((id) => [id, true])))
  })

  test('counts a loss that Python put back', async () => {
    await broker.publish([publication('one', { priority: 3 })])
    const collector = await collect(broker)
    const [delivery] = await collector.received(1)
    await delivery?.begun()

    await kombu(fixture.url, 'declare("q")\nchannel.qos.restore_visible(num=None)', { visibility_timeout: -5 })
    const [, again] = await collector.received(2)

    expect(again).toMatchObject({ losses: 1, publishedAtMs: delivery?.publishedAtMs, message: { body: '["one"]' } })
    expect(again?.message.headers).toEqual({ id: 'one', task: 'test', redelivered: true })
    await delivery?.ack()
    expect((await broker.depth('q')).unacked).toBe(1)
  })

  test('puts a message of a lower step back into the list of that step', async () => {
    await publishFromPython(fixture.url, 'q', [{ id: 'six', priority: 6 }])
    const collector = await collect(broker, { prefetch: 1 })
    const [delivery] = await collector.received(1)

    await collector.consumer.pause()
    await delivery?.requeue()

    expect(await client.lLen(`q${SEP}6`)).toBe(1)
    expect((await (await collect(broker)).received(1)).map(idOf)).toEqual(['six'])
  })

  test.each(['unacked', 'unacked_index', 'unacked_mutex', 'celeriac.dead', 'celeriac.parked.q', '_kombu.binding.q', 'celery-task-meta-1', 'q\x06\x163'])(
    'takes no queue by the name of another key: %j',
    async (queue) => {
      const refusal = 'would have the name of a key'

      await expect(broker.publish([publication('one', { queue })])).rejects.toThrow(refusal)
      await expect(collect(broker, { queues: ['q', queue] })).rejects.toThrow(refusal)
      await expect(broker.purge(queue)).rejects.toThrow(refusal)
      expect(await client.type(queue)).toBe('none')
    },
  )

  test('hears the commands of Python, and Python hears ours', async () => {
    const heard: unknown[] = []
    const subscription = await broker.subscribe('celery.pidbox', (payload) => heard.push(JSON.parse(payload)))
    await kombu(fixture.url, 'from kombu.pidbox import Mailbox\nMailbox("celery", type="fanout")(connection)._broadcast("revoke", {"task_id": "x"})')
    await expect.poll(() => heard).toMatchObject([{ method: 'revoke', arguments: { task_id: 'x' } }])
    await subscription.close()

    const listening = kombu(
      fixture.url,
      `
from kombu.pidbox import Mailbox
heard = []
node = Mailbox("celery", type="fanout")(connection).Node("w1@here", state=None, channel=channel, handlers={"ping": lambda state, **kw: heard.append("heard")})
node.listen(callback=lambda body, message: node.dispatch(**{name: body[name] for name in ("method", "arguments")}))
while not heard: connection.drain_events(timeout=10)
say(heard)`,
    )
    const listeners = (): Promise<number> => client.pubSubNumPat()
    await expect.poll(listeners, { message: 'Python to listen', timeout: 10_000 }).toBe(1)
    await broker.broadcast('celery.pidbox', JSON.stringify({ method: 'ping', arguments: {}, destination: null, pattern: null, matcher: null }))
    expect(await listening).toEqual([['heard']])
  })
})

import { expect, test } from 'vitest'
import type { DeadLetter } from '../../src/broker.ts'
import { collect, publication } from '../conformance/broker-fixture.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { redisFixture } from './redis-fixture.ts'

const PROPERTIES = { delivery_tag: 't', delivery_info: { exchange: '', routing_key: 'q' }, priority: 0, body_encoding: 'base64' }
const ENVELOPE = { body: 'W10=', 'content-type': 'application/json', 'content-encoding': 'utf-8', headers: { id: 'bad' }, properties: PROPERTIES }

/** The envelope with something else in it. */
function spoilt(change: object): string {
  return JSON.stringify({ ...ENVELOPE, ...change })
}

describeRedis('a queue of Redis', () => {
  test.each<[string, string | Buffer, string]>([
    ['text that is not JSON', 'hello', 'Cannot read the message'],
    ['nothing', '', 'Cannot read the message'],
    ['half an envelope', spoilt({}).slice(0, 50), 'Cannot read the message'],
    ['a number', '5', 'Cannot read the message'],
    ['a list', '[1, "", "q"]', 'Cannot read the message'],
    ['bytes', Buffer.from([0xff, 0x00, 0x22, 0x5d, 0x0a]), 'Cannot read the message'],
    ['what looks like the end of a value', '{}, "", "elsewhere"]', 'Cannot read the message'],
    ['no body', spoilt({ body: undefined }), '"body" of the message'],
    ['a body that is no base64', spoilt({ body: '!!!' }), 'expected base64'],
    ['a body that is a list', spoilt({ body: [] }), '"body" of the message'],
    ['no properties', spoilt({ properties: null }), '"properties" of the message'],
    ['no delivery tag', spoilt({ properties: { ...PROPERTIES, delivery_tag: undefined } }), 'property "delivery_tag"'],
    ['no delivery info', spoilt({ properties: { ...PROPERTIES, delivery_info: undefined } }), 'property "delivery_info"'],
    ['nesting without end', `{"body": ${'['.repeat(5000)}`, 'Cannot read the message'],
    ['losses that are no number', `{"celeriac-losses": "x", ${spoilt({ body: 1 }).slice(1)}`, '"body" of the message'],
  ])('puts %s away with its bytes and goes on with the next', async (_title, element, detail) => {
    const fixture = await redisFixture()
    const broker = await fixture.open()
    const client = await fixture.client()
    await client.lPush('q', element)
    await broker.publish([publication('good')])

    const collector = await collect(broker)
    await collector.received(1)

    expect(collector.ids()).toEqual(['good'])
    expect(collector.letters).toMatchObject([{ queue: 'q', reason: 'malformed', message: undefined }])
    expect(collector.letters[0]?.detail).toContain(detail)
    expect(await broker.deadLetters()).toEqual(collector.letters)
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 1, parked: 0, dead: 1 })
    const [letter = ''] = await client.lRange('celeriac.dead', 0, -1)
    // The client reads text, in which bytes that are none show in the same way on both sides.
    expect(letter.slice(letter.indexOf('\n') + 1)).toBe(element.toString())
    await fixture.dispose()
  })

  test.each([
    ['no headers', spoilt({ headers: undefined }), {}],
    ['headers that are null', spoilt({ headers: null }), {}],
    ['a key that nobody knows', spoilt({ 'x-other': 1 }), { id: 'bad' }],
    ['blanks before it', `  ${spoilt({})}`, { id: 'bad' }],
  ])('delivers a message with %s', async (_title, element, headers) => {
    const fixture = await redisFixture()
    const broker = await fixture.open()
    await (await fixture.client()).lPush('q', element)
    const collector = await collect(broker)
    const [delivery] = await collector.received(1)

    expect(delivery?.message.headers).toEqual(headers)
    await delivery?.requeue({ lost: true })

    expect((await collector.received(2))[1]?.losses).toBe(1)
    await fixture.dispose()
  })

  test('sends no more of a message that is too large than its headers', async () => {
    const server = await RedisServer.start()
    const fixture = await redisFixture(server)
    const broker = await fixture.openWith({ maxMessageSize: 1000 })
    const client = await fixture.client()
    const body = Buffer.alloc(5_000_000, 'x').toString('base64')
    await client.lPush('q', [spoilt({ body }), spoilt({ body: 'y'.repeat(4_000_000), properties: { ...PROPERTIES, body_encoding: undefined } }), 'z'.repeat(3_000_000)])
    await client.configResetStat()

    const collector = await collect(broker)
    await expect.poll(() => collector.letters.length, { message: '3 dead letters', timeout: 10_000 }).toBe(3)
    const read = await broker.deadLetters()

    expect(read.map(({ detail }: DeadLetter) => /\d+ bytes/.exec(detail)?.[0])).toEqual(['3000000 bytes', '4000000 bytes', '5000000 bytes'])
    expect(read.find(({ detail }) => detail.includes('5000000'))?.message).toMatchObject({ body: '', headers: { id: 'bad' } })
    const sent = Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1])
    expect(sent).toBeLessThan(1_000_000)
    expect(collector.deliveries).toEqual([])
    await fixture.dispose()
    await server.dispose()
  })

  test('reads past what is no dead letter', async () => {
    const fixture = await redisFixture()
    const broker = await fixture.open()
    await (await fixture.client()).lPush('celeriac.dead', ['hello', '{"queue":"q","reason":"refused","detail":"d","diedAtMs":5}\nno message'])

    expect(await broker.deadLetters()).toEqual([{ queue: 'q', reason: 'refused', detail: 'd', diedAtMs: 5, message: undefined }])
    await fixture.dispose()
  })

  test('passes over broadcasts that cannot be read', async () => {
    const fixture = await redisFixture()
    const broker = await fixture.open()
    const client = await fixture.client()
    const heard: string[] = []
    await broker.subscribe('control', (payload) => heard.push(payload))
    const channel = `/${new URL(fixture.url).pathname.slice(1)}.control`

    for (const text of ['hello', '{}', '{"body": "!!!"}']) await client.publish(channel, text)
    await broker.broadcast('control', 'good')

    await expect.poll(() => heard).toEqual(['good'])
    await fixture.dispose()
  })
})

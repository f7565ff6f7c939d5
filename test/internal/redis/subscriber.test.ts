import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClosedError, OperationalError } from '../../../src/errors.ts'
import { RedisSubscriber } from '../../../src/internal/redis/subscriber.ts'
import { RecordedLog } from '../../support/recorded-log.ts'
import { describeRedis, freePort, RedisServer, type TestRedisClient } from '../../support/redis-server.ts'
import { within } from '../../support/within.ts'
import { connectionOptions } from './fixture.ts'

describeRedis('a subscriber', () => {
  let server: RedisServer
  let other: TestRedisClient
  let log: RecordedLog
  let subscriber: RedisSubscriber

  beforeEach(async () => {
    server = await RedisServer.start()
    other = await server.client()
    log = new RecordedLog()
    subscriber = new RedisSubscriber(connectionOptions(server.url(), { logger: log, connectionTimeoutMs: 5000 }))
  })

  afterEach(async () => {
    await subscriber.close()
    await server.dispose()
  })

  /** How many channels the server knows. */
  const known = async (): Promise<number> => (await other.pubSubChannels()).length

  test('opens its connection with the first subscription', async () => {
    const before = (await other.clientList()).length
    await subscriber.subscribe('a', () => {})

    expect(before).toBe(1)
    expect((await other.clientList()).length).toBe(2)
  })

  test('hears everything on its channels once it has subscribed, and nothing of others', async () => {
    const heard: string[] = []
    await Promise.all([subscriber.subscribe('a', (message) => heard.push(`a ${message}`)), subscriber.subscribe('b', (message) => heard.push(`b ${message}`))])

    for (const [channel, message] of [['a', 'one'], ['c', 'two'], ['b', 'thr\u00e9e \u{1f980}'], ['A', 'four']] as const) await other.publish(channel, message)
    await other.publish('a', 'last')

    await expect.poll(() => heard).toEqual(['a one', 'b thr\u00e9e \u{1f980}', 'a last'])
  })

  test('hears bytes as they are where it is to, and ends such subscriptions too', async () => {
    const bytes = new RedisSubscriber<Buffer>(connectionOptions(server.url(), { logger: log }), 'bytes')
    const heard: Buffer[] = []
    const end = await bytes.subscribe('\u00e9', (message) => heard.push(message))

    await other.publish('\u00e9', Buffer.from([0xff, 0, 0x80]))
    await expect.poll(() => heard).toEqual([Buffer.from([0xff, 0, 0x80])])
    end()
    await expect.poll(known).toBe(0)
    await bytes.close()
  })

  test('shares a channel among its listeners until the last has gone', async () => {
    const heard: string[] = []
    const hear = (message: string): void => void heard.push(message)
    const ends = await Promise.all([subscriber.subscribe('a', hear), subscriber.subscribe('a', hear), subscriber.subscribe('a', () => {})])

    await other.publish('a', '1')
    await expect.poll(() => heard).toEqual(['1', '1'])
    ends[0]()
    ends[0]()
    await other.publish('a', '2')
    await expect.poll(() => heard).toEqual(['1', '1', '2'])
    expect(await known()).toBe(1)
    for (const end of ends) end()

    await expect.poll(known).toBe(0)
    expect(subscriber.channels).toBe(0)
  })

  test('is subscribed whatever was said last, in any order', async () => {
    const heard: string[] = []
    const first = await subscriber.subscribe('a', () => {})
    first()
    const again = subscriber.subscribe('a', (message) => heard.push(message))
    await again
    expect(await known()).toBe(1)

    const end = await again
    end()
    const third = subscriber.subscribe('a', (message) => heard.push(`third ${message}`))
    await third
    await other.publish('a', 'x')
    await expect.poll(() => heard).toEqual(['third x'])

    ;(await third)()
    await expect.poll(known).toBe(0)
  })

  test('tells the server of ended subscriptions together with the next one', async () => {
    const ends = await Promise.all(['a', 'b'].map((channel) => subscriber.subscribe(channel, () => {})))
    for (const end of ends) end()
    await subscriber.subscribe('c', () => {})

    expect(await other.pubSubChannels()).toEqual(['c'])
  })

  test('takes ten thousand channels at once, and leaves none behind', async () => {
    const heard = new Set<string>()
    const before = (await other.info('stats')).match(/total_commands_processed:(\d+)/)?.[1]
    const ends = await Promise.all(Array.from({ length: 10_000 }, (_, index) => subscriber.subscribe(`c${index}`, (message) => heard.add(message))))
    const after = (await other.info('stats')).match(/total_commands_processed:(\d+)/)?.[1]

    expect(Number(after) - Number(before)).toBeLessThan(20)
    await Promise.all(Array.from({ length: 10_000 }, (_, index) => other.publish(`c${index}`, String(index))))
    await expect.poll(() => heard.size, { timeout: 10_000 }).toBe(10_000)
    for (const end of ends) end()
    await expect.poll(known).toBe(0)
    expect(subscriber.channels).toBe(0)
  })

  test('survives a listener that throws, and says so', async () => {
    const heard: string[] = []
    await subscriber.subscribe('a', () => {
      throw new Error('mine')
    })
    await subscriber.subscribe('a', (message) => heard.push(message))

    await other.publish('a', '1')
    await other.publish('a', '2')

    await expect.poll(() => heard).toEqual(['1', '2'])
    expect(log.lines).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/^error A listener of The broker "redis" failed\./)))
  })

  test('subscribes again after each loss, tells when it has, and knows what was given up meanwhile', async () => {
    const heard: string[] = []
    let backs = 0
    subscriber.onBack(() => backs++)
    const [end] = [await subscriber.subscribe('gone', () => {}), await subscriber.subscribe('a', (message) => heard.push(message))]

    for (let times = 1; times <= 3; times++) {
      await server.kill()
      end()
      const late = subscriber.subscribe(`late ${times}`, () => {})
      await server.restart()
      await within(late, 'the subscription', 5000)
      await expect.poll(() => backs, { timeout: 5000 }).toBe(times)
      other = await server.client()
      expect(await known()).toBe(1 + times)
      await other.publish('a', String(times))
      await expect.poll(() => heard.length).toBe(times)
    }

    expect(heard).toEqual(['1', '2', '3'])
  })

  test('loses nothing that is published after it is back, however often it is cut off', async () => {
    const heard = new Set<string>()
    let backs = 0
    subscriber.onBack(() => backs++)
    await Promise.all(Array.from({ length: 500 }, (_, index) => subscriber.subscribe(`c${index}`, (message) => heard.add(message))))

    for (let times = 1; times <= 3; times++) {
      await other.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await expect.poll(() => backs, { timeout: 10_000 }).toBe(times)
      heard.clear()
      await Promise.all(Array.from({ length: 500 }, (_, index) => other.publish(`c${index}`, String(index))))
      await expect.poll(() => heard.size).toBe(500)
    }
  })

  test('rejects in time when there is no server, and leaves nothing behind', async () => {
    const alone = new RedisSubscriber(connectionOptions(`redis://127.0.0.1:${await freePort()}`, { connectionTimeoutMs: 300 }))

    await expect(within(alone.subscribe('a', () => {}), 'the refusal', 3000)).rejects.toThrow(OperationalError)
    expect(alone.channels).toBe(0)
    await alone.close()
  })

  test('says which channel its user may not hear', async () => {
    await other.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&mine.*', '+@all'])
    const few = new RedisSubscriber(connectionOptions(server.url().replace('redis://', 'redis://few:pw@')))

    await expect(few.subscribe('other', () => {})).rejects.toThrow('NOPERM')
    await few.subscribe('mine.a', () => {})
    expect(await other.pubSubChannels()).toEqual(['mine.a'])
    await few.close()
  })

  test('hears all channels that a pattern matches, also after a loss, until that is ended', async () => {
    const heard: string[] = []
    let backs = 0
    subscriber.onBack(() => backs++)
    const end = await subscriber.subscribePattern('task-*\\?', { hear: (message, channel) => heard.push(`${channel} ${message}`), ended: () => {} })
    await subscriber.subscribe('task-1?', (message) => heard.push(`alone ${message}`))

    await other.publish('task-1?', 'one')
    await other.publish('task-1x', 'two')
    await expect.poll(() => heard.toSorted()).toEqual(['alone one', 'task-1? one'])
    await server.kill()
    await server.restart()
    await expect.poll(() => backs, { timeout: 5000 }).toBe(1)
    other = await server.client()
    await other.publish('task-2?', 'three')
    await expect.poll(() => heard.at(-1)).toBe('task-2? three')

    end()
    await expect.poll(async () => other.pubSubNumPat()).toBe(0)
  })

  test('says that its user may not hear a pattern, and hears channels all the same', async () => {
    await other.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&mine.*', '+@all'])
    const few = new RedisSubscriber(connectionOptions(server.url().replace('redis://', 'redis://few:pw@')))

    const refused = few.subscribePattern('mine.*.b', { hear: () => {}, ended: () => {} })
    await Promise.all([expect(refused).rejects.toThrow('NOPERM'), few.subscribe('mine.a', () => {})])
    expect(await other.pubSubChannels()).toEqual(['mine.a'])
    await few.close()
  })

  test('tells whoever listens to a pattern that its user may do so no more, and goes on with channels', async () => {
    await other.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&*', '+@all'])
    const few = new RedisSubscriber(connectionOptions(server.url().replace('redis://', 'redis://few:pw@')))
    const heard: string[] = []
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    await few.subscribePattern('a*', { hear: () => {}, ended: resolve })
    await few.subscribe('mine', (message) => heard.push(message))

    await other.sendCommand(['ACL', 'SETUSER', 'few', 'resetchannels', '&mine'])
    await within(ended, 'the news', 5000)
    await expect.poll(async () => other.publish('mine', 'still')).toBe(1)

    await expect.poll(() => heard).toContain('still')
    await few.close()
  })

  test('says that its user may hear a channel no more, and tells the others that they are back', async () => {
    await other.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&*', '+@all'])
    const few = new RedisSubscriber(connectionOptions(server.url().replace('redis://', 'redis://few:pw@'), { logger: log }))
    const { promise: back, resolve } = Promise.withResolvers<void>()
    few.onBack(resolve)
    await few.subscribe('lost', () => {})

    await other.sendCommand(['ACL', 'SETUSER', 'few', 'resetchannels', '&mine'])
    await within(back, 'the news', 5000)

    expect(log.lines).toContainEqual(expect.stringMatching(/^error The broker "redis" refuses what was listened to before/))
    await few.close()
  })

  test('is closed for good', async () => {
    const end = await subscriber.subscribe('a', () => {})
    await Promise.all([subscriber.close(), subscriber.close()])
    end()

    await expect(subscriber.subscribe('a', () => {})).rejects.toThrow(ClosedError)
    await expect.poll(known).toBe(0)
  })
})

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { RedisConnection } from '../../../src/internal/redis/connection.ts'
import { RedisSubscriber } from '../../../src/internal/redis/subscriber.ts'
import { RedisSentinels } from '../../support/redis-sentinel.ts'
import { describeRedis, freePort } from '../../support/redis-server.ts'
import { connectionOptions } from './fixture.ts'

const PASSWORDS = { password: 'master-pw', sentinelPassword: 'sentinel-pw' }

describeRedis('a connection by way of sentinels', () => {
  let sentinels: RedisSentinels
  let connection: RedisConnection | undefined

  beforeAll(async () => {
    sentinels = await RedisSentinels.start(PASSWORDS)
  })

  afterEach(() => connection?.close())
  afterAll(() => sentinels.dispose())

  const options = (url: string, more: object = {}): ConstructorParameters<typeof RedisConnection>[0] =>
    connectionOptions(url, { url: { masterName: sentinels.masterName, sentinelPassword: PASSWORDS.sentinelPassword, ...more }, connectionTimeoutMs: 3000 })

  test('finds the master although the first sentinel is down', async () => {
    connection = new RedisConnection(options(`sentinel://:${PASSWORDS.password}@127.0.0.1:${await freePort()};${sentinels.url(3)}`, { minOtherSentinels: 2 }))

    const info = await connection.run((client) => client.sendCommand(['CLIENT', 'INFO']))

    expect(String(info)).toContain(' db=3 ')
    expect(String(info)).toContain(`laddr=127.0.0.1:${sentinels.master.port}`)
  })

  test('says what each of them said when none knows the master', async () => {
    connection = new RedisConnection(options(sentinels.url(), { masterName: 'other' }))

    await expect(connection.connect()).rejects.toThrow(`has no master "other" that a sentinel knows: 127.0.0.1:${sentinels.ports[0]} does not know it; 127.0.0.1:${sentinels.ports[1]} does not`)
  })

  test('does not believe a sentinel that knows too few others', async () => {
    connection = new RedisConnection(options(sentinels.url(), { minOtherSentinels: 3 }))

    await expect(connection.connect()).rejects.toThrow('knows of 2 other sentinels, and "minOtherSentinels" is 3')
  })

  test('needs their password', async () => {
    connection = new RedisConnection(options(sentinels.url(), { sentinelPassword: 'wrong' }))

    await expect(connection.connect()).rejects.toThrow(`127.0.0.1:${sentinels.ports[2]} refused the connection: the user name or the password is wrong (WRONGPASS)`)
  })

  // The last one: the master is gone after it.
  test('follows a failover, with its subscriptions', async () => {
    const { master, replica } = sentinels
    connection = new RedisConnection({ ...options(sentinels.url()), connectionTimeoutMs: 20_000 })
    const subscriber = new RedisSubscriber(options(sentinels.url()))
    const changes: (string | undefined)[] = []
    connection.onChange((fault) => changes.push(fault?.message))
    const heard: string[] = []
    let backs = 0
    subscriber.onBack(() => backs++)
    await subscriber.subscribe('news', (message) => heard.push(message))
    await connection.run((client) => client.sendCommand(['SET', 'a', 'b']))
    await connection.run((client) => client.sendCommand(['WAIT', '1', '5000']))

    await master.kill()

    expect(await connection.runRepeatable((client) => client.sendCommand(['GET', 'a']))).toBe('b')
    expect(String(await connection.run((client) => client.sendCommand(['CLIENT', 'INFO'])))).toContain(`laddr=127.0.0.1:${replica.port}`)
    await expect.poll(() => backs, { timeout: 10_000 }).toBe(1)
    await connection.run((client) => client.sendCommand(['PUBLISH', 'news', 'hello']))
    await expect.poll(() => heard).toEqual(['hello'])
    expect(changes).toEqual([expect.any(String), undefined])
    await subscriber.close()
  })
})

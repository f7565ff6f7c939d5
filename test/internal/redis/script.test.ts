import { afterEach, beforeEach, expect, test } from 'vitest'
import { OperationalError } from '../../../src/errors.ts'
import { AS_BYTES } from '../../../src/internal/redis/client.ts'
import { RedisConnection } from '../../../src/internal/redis/connection.ts'
import { RedisScript } from '../../../src/internal/redis/script.ts'
import { describeRedis, RedisServer } from '../../support/redis-server.ts'
import { connectionOptions } from './fixture.ts'

describeRedis('a script', () => {
  let server: RedisServer
  let connection: RedisConnection

  beforeEach(async () => {
    server = await RedisServer.start()
    connection = new RedisConnection(connectionOptions(server.url()))
  })

  afterEach(async () => {
    await connection.close()
    await server.dispose()
  })

  const echo = new RedisScript('return { KEYS[1], ARGV[1], ARGV[2], ARGV[3] }')

  test('gets its keys and arguments: text, numbers and bytes of any kind', async () => {
    const bytes = new Uint8Array([1, 0, 255, 10]).subarray(1)

    const reply = await connection.run((client) => echo.run(client, ['k'], ['text', 1.5, bytes], AS_BYTES))

    expect(reply).toEqual([Buffer.from('k'), Buffer.from('text'), Buffer.from('1.5'), Buffer.from([0, 255, 10])])
  })

  test('is known to the server after its first run, and again when the server forgot it', async () => {
    const other = await server.client()
    const count = new RedisScript('return redis.call("INCR", KEYS[1])')
    const run = (): Promise<unknown> => connection.run((client) => count.run(client, ['n'], []))

    expect(await run()).toBe(1)
    expect(await run()).toBe(2)
    await other.scriptFlush()
    expect(await Promise.all([run(), run(), run()])).toEqual([3, 4, 5])
    const calls = await other.info('commandstats')
    expect(calls).toMatch(/cmdstat_evalsha:calls=5,.*failed_calls=4/)
    expect(calls).toMatch(/cmdstat_eval:calls=4,/)
  })

  test('goes out together with the others of its turn', async () => {
    const count = new RedisScript('return redis.call("INCR", KEYS[1])')
    await connection.run((client) => count.run(client, ['n'], []))

    const replies = await Promise.all(Array.from({ length: 1000 }, () => connection.run((client) => count.run(client, ['n'], []))))

    expect(replies).toEqual(Array.from({ length: 1000 }, (_, index) => index + 2))
  })

  test('says what it refuses', async () => {
    const refusing = new RedisScript('return redis.error_reply("NOPE not today")')

    await expect(connection.run((client) => refusing.run(client, [], []))).rejects.toThrow(new OperationalError('The broker "redis" failed: NOPE not today.'))
  })
})

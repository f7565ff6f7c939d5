import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClosedError, OperationalError } from '../../../src/errors.ts'
import type { RedisClient } from '../../../src/internal/redis/client.ts'
import { createLogger } from '../../../src/internal/logger.ts'
import { AS_BYTES } from '../../../src/internal/redis/client.ts'
import { RedisConnection, type RedisConnectionOptions } from '../../../src/internal/redis/connection.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { describeRedis, freePort, RedisServer, sharedRedis } from '../../support/redis-server.ts'
import { within } from '../../support/within.ts'
import { connectionOptions } from './fixture.ts'

const opened = new Set<RedisConnection>()
const servers = new Set<RedisServer>()

afterEach(async () => {
  await Promise.all([...opened].map((connection) => connection.close()))
  opened.clear()
  await Promise.all([...servers].map((server) => server.dispose()))
  servers.clear()
})

function connectionTo(url: string, more: Partial<RedisConnectionOptions> = {}): RedisConnection {
  const connection = new RedisConnection(connectionOptions(url, more))
  opened.add(connection)
  return connection
}

async function privateServer(...options: Parameters<typeof RedisServer.start>): Promise<RedisServer> {
  const server = await RedisServer.start(...options)
  servers.add(server)
  return server
}

/** What a connection told, in order. */
function changesOf(connection: RedisConnection): (string | undefined)[] {
  const changes: (string | undefined)[] = []
  connection.onChange((fault) => changes.push(fault?.message))
  return changes
}

const ping = (client: RedisClient): Promise<unknown> => client.sendCommand(['PING'])

describeRedis('a connection to Redis', () => {
  let url: string

  beforeEach(async () => {
    url = await sharedRedis().freshUrl()
  })

  test('runs commands in the database of its URL, under its name', async () => {
    const connection = connectionTo(url)
    await connection.connect()

    await connection.run((client) => client.sendCommand(['SET', 'a', 'b']))
    const [name, info] = await connection.run((client) => Promise.all([client.sendCommand(['CLIENT', 'GETNAME']), client.sendCommand(['CLIENT', 'INFO'])]))

    expect(name).toBe(`celeriac:${process.pid}`)
    expect(String(info)).toContain(' resp=3')
    const looking = await sharedRedis().client(url)
    expect(await looking.get('a')).toBe('b')
    looking.destroy()
  })

  test('is made by the first commands, once however many there are', async () => {
    const connection = connectionTo(url, { clientName: crypto.randomUUID() })

    const [ids] = await Promise.all([
      Promise.all(Array.from({ length: 50 }, () => connection.run((client) => client.sendCommand(['CLIENT', 'ID'])))),
      connection.connect(),
    ])

    expect(new Set(ids).size).toBe(1)
  })

  test('gives transactions, and bytes as they are', async () => {
    const connection = connectionTo(url)
    const bytes = Buffer.from([0, 255, 10, 13, 0])

    const replies = await connection.run((client) => client.multi().addCommand(['SET', 'bytes', bytes]).addCommand(['STRLEN', 'bytes']).exec())
    const read = await connection.run((client) => client.sendCommand(['GET', 'bytes'], AS_BYTES))

    expect(replies).toEqual(['OK', 5])
    expect(read).toEqual(bytes)
  })

  test('hands on what the server refuses as one line, and goes on', async () => {
    const connection = connectionTo(url)
    await connection.run((client) => client.sendCommand(['SET', 'text', 'x']))

    const refused = connection.run((client) => client.sendCommand(['LPUSH', 'text', 'x']))
    const inTransaction = connection.run((client) => client.multi().addCommand(['LPUSH', 'text', 'x']).exec())

    const line = 'The broker "redis" failed: WRONGTYPE Operation against a key holding the wrong kind of value.'
    await expect(refused).rejects.toThrow(new OperationalError(line))
    await expect(inTransaction).rejects.toThrow(new OperationalError(line))
    expect(await connection.run(ping)).toBe('PONG')
  })

  test('leaves an error that has nothing to do with Redis as it is', async () => {
    const connection = connectionTo(url)
    const error = new TypeError('mine')

    await expect(connection.run(() => Promise.reject(error))).rejects.toBe(error)
  })

  test('tells of keys that were read and have changed, by anybody', async () => {
    const connection = connectionTo(url, { tracking: true })
    const invalidated: (string | null)[] = []
    connection.onInvalidate((key) => invalidated.push(key))
    const other = await sharedRedis().client(url)

    await connection.run((client) => client.sendCommand(['EXISTS', 'a', 'b', 'c']))
    await other.multi().lPush('b', 'x').set('unread', 'x').exec()

    await expect.poll(() => invalidated).toEqual(['b'])
    await other.flushDb()
    await expect.poll(() => invalidated).toEqual(['b', null])
    other.destroy()
  })

  test('survives listeners that throw', async () => {
    const connection = connectionTo(url, { tracking: true })
    const invalidated = Promise.withResolvers<string | null>()
    connection.onInvalidate(() => {
      throw new Error('mine')
    })
    connection.onInvalidate(invalidated.resolve)

    await connection.run((client) => client.sendCommand(['EXISTS', 'a']))
    const other = await sharedRedis().client(url)
    await other.set('a', 'b')

    expect(await within(invalidated.promise, 'the invalidation')).toBe('a')
    expect(await connection.run(ping)).toBe('PONG')
    other.destroy()
  })

  test('tells of what it has changed itself only when it is told to', async () => {
    const connection = connectionTo(url, { tracking: true })
    const invalidated: (string | null)[] = []
    connection.onInvalidate((key) => invalidated.push(key))

    await connection.run((client) => client.sendCommand(['EXISTS', 'a', 'b']))
    await connection.run((client) => client.sendCommand(['SET', 'a', 'x']))
    connection.invalidate('b')
    // The server's would come before this reply.
    await connection.run(ping)

    expect(invalidated).toEqual(['b'])
  })

  test('takes the time of its clock where the machines agree', async () => {
    const clock = new ManualClock()
    const connection = connectionTo(url, { clock })
    await connection.connect()

    clock.advance(1234)

    expect(connection.now()).toBe(clock.now())
  })

  test('finishes what is asked when it is closed, and refuses the rest', async () => {
    const connection = connectionTo(url)
    await connection.connect()
    const asked = connection.run(async (client) => {
      await client.sendCommand(['SET', 'a', '1'])
      return client.sendCommand(['INCR', 'a'])
    })

    await Promise.all([connection.close(), connection.close()])

    expect(await asked).toBe(2)
    await expect(connection.run(ping)).rejects.toThrow(new ClosedError('The broker "redis" was closed. Open another one.'))
    await expect(connection.connect()).rejects.toThrow(ClosedError)
  })

  test('ends at once when it is closed while nobody answers', async () => {
    const connection = connectionTo(`redis://127.0.0.1:${await freePort()}`, { connectionTimeoutMs: 60_000 })
    const connecting = connection.connect()

    void connection.close()

    await expect(within(connecting, 'the end', 5000)).rejects.toThrow(ClosedError)
    await within(connection.close(), 'the end', 5000)
  })
})

describeRedis('a connection to a Redis that cannot be had', () => {
  test('is refused within the time, with the reason and what to do in one line, and a later call tries again', async () => {
    const port = await freePort()
    const connection = connectionTo(`redis://127.0.0.1:${port}`, { connectionTimeoutMs: 700 })
    const line = `The broker "redis" cannot be reached: nothing listens at 127.0.0.1:${port} (ECONNREFUSED). Start the server, or correct the URL.`

    await expect(within(connection.connect(), 'the refusal', 3000)).rejects.toThrow(new OperationalError(line))
    await expect(within(connection.run(ping), 'the refusal', 3000)).rejects.toThrow(new OperationalError(line))

    await privateServer({ port })
    expect(await connection.run(ping)).toBe('PONG')
  })

  test('waits within the time for a server that is just starting', async () => {
    const port = await freePort()
    const connecting = connectionTo(`redis://127.0.0.1:${port}`, { connectionTimeoutMs: 10_000 }).connect()

    await privateServer({ port })

    await connecting
  })

  test('tries the next address of a list', async () => {
    const [down, server] = await Promise.all([freePort(), privateServer()])

    await connectionTo(`redis://127.0.0.1:${down};${server.url()}`).connect()
  })

  test.each([
    ['no password', 'redis://127.0.0.1:PORT', 'it wants a password (NOAUTH). Write it into the URL: "redis://:password@host".'],
    ['a wrong password', 'redis://:wrong@127.0.0.1:PORT', 'the user name or the password is wrong (WRONGPASS). Correct the URL.'],
    ['an unknown user', 'redis://me:secret@127.0.0.1:PORT', 'the user name or the password is wrong (WRONGPASS). Correct the URL.'],
    ['a database that there is not', 'redis://:secret@127.0.0.1:PORT/16', 'refused the database (ERR DB index is out of range)'],
  ])('is refused at once for %s', async (_reason, url, advice) => {
    const server = await privateServer({ password: 'secret', databases: 16 })
    const connection = connectionTo(url.replace('PORT', String(server.port)), { connectionTimeoutMs: 60_000 })

    await expect(within(connection.connect(), 'the refusal', 5000)).rejects.toThrow(advice)
  })

  test('is made with the password, and as a user with few rights', async () => {
    const server = await privateServer({ password: 'sec/r@t' })
    await connectionTo(server.url()).connect()
    const admin = await server.client()
    await admin.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '+get', '+set'])
    const connection = connectionTo(`redis://few:pw@127.0.0.1:${server.port}`, { tracking: true })

    expect(await connection.run((client) => client.sendCommand(['SET', 'a', 'b']))).toBe('OK')
    await expect(connection.run((client) => client.sendCommand(['DEL', 'a']))).rejects.toThrow('Give its user the permission')
  })

  test('goes through a socket of the file system', async () => {
    const server = await privateServer()

    await connectionTo(`redis+socket://${server.socketPath}?virtual_host=1`).connect()
    await expect(connectionTo(`redis+socket://${server.folder}/none`, { connectionTimeoutMs: 300 }).connect()).rejects.toThrow('there is no such socket')
  })

  test('is given up by a server that accepts and never answers', async () => {
    const { port, close } = await silentServer()
    const connection = connectionTo(`redis://127.0.0.1:${port}`, { connectionTimeoutMs: 500 })

    await expect(within(connection.connect(), 'the refusal', 3000)).rejects.toThrow('it did not answer within 0.5 s')
    await close()
  })
})

describeRedis('an encrypted connection to Redis', () => {
  test('needs the authority of the server, or not to look', async () => {
    const server = await privateServer({ tls: true })
    const url = `${server.url()}?ssl_ca_certs=${server.certificates?.caFile}`

    await connectionTo(url).connect()
    await connectionTo(url.replace('127.0.0.1', 'localhost')).connect()
    await connectionTo(`${server.url()}?ssl_cert_reqs=none`).connect()
    await expect(within(connectionTo(server.url(), { connectionTimeoutMs: 60_000 }).connect(), 'the refusal', 5000)).rejects.toThrow('Set ssl_ca_certs')
  })

  test('says so when one side does not encrypt', async () => {
    const [plain, encrypted] = await Promise.all([privateServer(), privateServer({ tls: true })])

    await expect(connectionTo(plain.url().replace('redis:', 'rediss:'), { connectionTimeoutMs: 300 }).connect()).rejects.toThrow('if it does not speak TLS, use "redis://"')
    await expect(connectionTo(encrypted.url().replace('rediss:', 'redis:'), { connectionTimeoutMs: 300 }).connect()).rejects.toThrow('use "rediss://"')
  })

  test('shows a certificate to a server that wants one', async () => {
    const server = await privateServer({ tls: 'clients' })
    const { caFile, clientCertFile, clientKeyFile } = server.certificates ?? { caFile: '' }
    const url = `${server.url()}?ssl_ca_certs=${caFile}`

    await connectionTo(`${url}&ssl_certfile=${clientCertFile}&ssl_keyfile=${clientKeyFile}`).connect()
    await expect(connectionTo(url).connect()).rejects.toThrow('Set ssl_certfile and ssl_keyfile')
    await expect(connectionTo(`${url}&ssl_certfile=/none`).connect()).rejects.toThrow('the file "/none" of ssl_certfile cannot be read (ENOENT)')
    await expect(connectionTo(`${url}&ssl_certfile=${import.meta.filename}&ssl_keyfile=${clientKeyFile}`).connect()).rejects.toThrow('PEM files')
  })
})

describeRedis('a lost connection to Redis', () => {
  test('is told once, and made again when the server is back, which is told once too', async () => {
    const server = await privateServer({ appendOnly: true })
    const connection = connectionTo(server.url(), { connectionTimeoutMs: 10_000 })
    const changes = changesOf(connection)
    await connection.run((client) => client.sendCommand(['SET', 'a', 'b']))

    await server.kill()
    await expect.poll(() => changes).toHaveLength(1)
    const waiting = connection.run((client) => client.sendCommand(['GET', 'a']))
    await sleep(1500)
    await server.restart()

    expect(await within(waiting, 'the connection', 5000)).toBe('b')
    expect(changes).toEqual([expect.stringMatching(/^The broker "redis" was lost: the server closed the connection\./), undefined])
  })

  test('rejects what waits for it when its time is over, with what hinders it', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { connectionTimeoutMs: 600 })
    await connection.connect()
    await server.kill()
    await expect.poll(() => connection.isReady).toBe(false)

    await expect(within(connection.run(ping), 'the refusal', 3000)).rejects.toThrow(`nothing listens at 127.0.0.1:${server.port}`)
    await server.restart()
    await expect.poll(() => connection.isReady, { timeout: 5000 }).toBe(true)
  })

  test('tells every command under way that it broke, and loses none that it confirmed', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url())
    const changes = changesOf(connection)
    const other = await server.client()
    const id = await connection.run((client) => client.sendCommand(['CLIENT', 'ID']))

    const pushes = Array.from({ length: 20_000 }, (_, index) => connection.run((client) => client.sendCommand(['RPUSH', 'list', String(index)])))
    void other.sendCommand(['CLIENT', 'KILL', 'ID', String(id)])
    const results = await within(Promise.allSettled(pushes), 'all of them', 10_000)

    const confirmed = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [String(index)] : []))
    const broken = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    const stored = new Set(await other.lRange('list', 0, -1))
    expect(confirmed.filter((index) => !stored.has(index))).toEqual([])
    expect(broken.length).toBeGreaterThan(0)
    for (const error of broken) expect(error).toBeInstanceOf(OperationalError)
    expect(await connection.run(ping)).toBe('PONG')
    expect(changes).toEqual([expect.any(String), undefined])
  })

  test('repeats by itself what may be done twice', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { connectionTimeoutMs: 10_000 })
    const other = await server.client()
    const id = await connection.run((client) => client.sendCommand(['CLIENT', 'ID']))

    const adds = Array.from({ length: 5000 }, (_, index) => connection.runRepeatable((client) => client.sendCommand(['SADD', 'set', String(index)])))
    await other.sendCommand(['CLIENT', 'KILL', 'ID', String(id)])
    await within(Promise.all(adds), 'all of them', 10_000)

    expect(await other.sCard('set')).toBe(5000)
  })

  test('is not one that sleeps for a moment', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { healthCheckMs: 100, answerTimeoutMs: 3000 })
    const changes = changesOf(connection)
    await connection.connect()

    server.pause()
    const waiting = connection.run(ping)
    await sleep(1500)
    server.resume()

    expect(await waiting).toBe('PONG')
    expect(changes).toEqual([])
  })

  test('is one that is silent for too long, even when nobody asks anything', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { healthCheckMs: 100, answerTimeoutMs: 400, connectionTimeoutMs: 500 })
    const changes = changesOf(connection)
    await connection.connect()

    server.pause()
    await expect.poll(() => changes, { timeout: 2000 }).toEqual(['The broker "redis" was lost: it did not answer for 0.4 s. Look at the server and the network.'])
    await expect(connection.run(ping)).rejects.toThrow(OperationalError)

    server.resume()
    await expect.poll(() => changes, { timeout: 5000 }).toEqual([expect.any(String), undefined])
    expect(await connection.run(ping)).toBe('PONG')
  })

  test('is not one that is fine while this process is too busy to listen', async () => {
    const connection = connectionTo(await sharedRedis().freshUrl(), { healthCheckMs: 50, answerTimeoutMs: 200 })
    const changes = changesOf(connection)
    await connection.connect()

    for (let times = 0; times < 3; times++) {
      const untilMs = performance.now() + 700
      while (performance.now() < untilMs);
      await sleep(100)
    }

    expect(changes).toEqual([])
  })

  test('is one to a master that has become a replica', async () => {
    const [master, replica] = [await privateServer(), await privateServer()]
    const connection = connectionTo(`${replica.url()};${master.url()}`)
    const changes = changesOf(connection)
    await connection.connect()
    await (await replica.client()).sendCommand(['REPLICAOF', '127.0.0.1', String(master.port)])

    await expect(connection.run((client) => client.sendCommand(['SET', 'a', 'b']))).rejects.toThrow('is a replica, which cannot be written (READONLY). Connect to the master.')

    await expect.poll(() => changes.length, { timeout: 5000 }).toBeGreaterThanOrEqual(1)
  })

  test('is said in one line of a log', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { healthCheckMs: 0, connectionTimeoutMs: 300 })
    const lines: string[] = []
    const logger = createLogger('info', { write: (line) => lines.push(line) })
    connection.onChange((fault) => fault && logger.warn({ err: fault }, 'lost'))
    await connection.connect()

    await server.kill()
    await expect.poll(() => lines).toHaveLength(1)
    await connection.run(ping).catch((error: unknown) => logger.warn({ err: error }, 'refused'))

    const [lost, refused] = lines.map((line) => (JSON.parse(line) as { err: Error }).err)
    expect(lost?.message).toBe('The broker "redis" was lost: the server closed the connection. It is connected again as soon as that is possible.')
    expect(lost?.stack).not.toContain('caused by')
    expect(refused?.message).toMatch(/^The broker "redis" cannot be reached: [^:]+:\d+ \(ECONNREFUSED\)\. Start the server, or correct the URL\.$/)
  })

  test('is tried as often as was said, and again with the next call', async () => {
    const server = await privateServer()
    const connection = connectionTo(server.url(), { maxRetries: 2, connectionTimeoutMs: 3000 })
    const changes = changesOf(connection)
    await connection.connect()
    await server.kill()
    await expect.poll(() => changes).toHaveLength(1)

    await expect(connection.run(ping)).rejects.toThrow('ECONNREFUSED')
    await server.restart()
    await sleep(500)
    expect(connection.isReady).toBe(false)
    expect(await connection.run(ping)).toBe('PONG')
  })
})

describe('the clock of a server', () => {
  test('corrects ours where it differs, and not for the time on the way', async () => {
    const ahead = await clockServer(90_000)
    const near = await clockServer(200)
    const clock = new ManualClock()
    const [far, close] = [connectionTo(`redis://127.0.0.1:${ahead.port}`, { clock }), connectionTo(`redis://127.0.0.1:${near.port}`, { clock })]
    await Promise.all([far.connect(), close.connect()])

    expect(Math.abs(far.now() - clock.now() - 90_000)).toBeLessThan(1000)
    expect(close.now()).toBe(clock.now())
    await Promise.all([ahead.close(), near.close()])
  })
})

/** Accepts connections, and does with them what it is told. */
async function fakeServer(onConnection: (socket: Socket) => void): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as { port: number }).port, close }
}

function silentServer(): ReturnType<typeof fakeServer> {
  return fakeServer((socket) => socket.resume())
}

/** Answers what a connection asks when it is made, with the time of another machine. */
function clockServer(aheadMs: number): ReturnType<typeof fakeServer> {
  return fakeServer((socket) =>
    socket.on('data', (chunk: Buffer) => {
      for (const [, command] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const now = Date.now() + aheadMs
        if (command === 'TIME') socket.write(`*2\r\n$10\r\n${Math.floor(now / 1000)}\r\n$6\r\n${String((now % 1000) * 1000).padStart(6, '0')}\r\n`)
        else socket.write(command === 'PING' ? '+PONG\r\n' : '+OK\r\n')
      }
    }),
  )
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ResultBackend } from '../../src/backend.ts'
import { RedisBackend } from '../../src/backends/redis/backend.ts'
import { OperationalError } from '../../src/errors.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, freePort, RedisServer, type TestRedisClient } from '../support/redis-server.ts'
import { turn, within } from '../support/within.ts'
import { meta, redisFixture, type RedisBackendFixture } from './redis-fixture.ts'

failOnLeftovers()

describeRedis('result backend redis when connections break', () => {
  let server: RedisServer
  let fixture: RedisBackendFixture
  let backend: ResultBackend
  let client: TestRedisClient

  beforeAll(async () => {
    server = await RedisServer.start({ config: { 'enable-debug-command': 'yes' } })
  })

  afterAll(() => server.dispose())

  beforeEach(async () => {
    fixture = await redisFixture(server)
    backend = await fixture.open()
    client = await server.client(fixture.url)
  })

  afterEach(async () => {
    client.destroy()
    await fixture.dispose()
  })

  test('hands on every one of 5,000 results while the subscription is killed again and again', async () => {
    const storing = await fixture.open()
    const told = new Set<string>()
    const all = Promise.withResolvers<void>()
    for (const id of ids(5000)) {
      backend.subscribe(id, () => {
        if (told.add(id).size === 5000) all.resolve()
      })
    }
    await backend.getMany(ids(5000))

    for (let from = 0; from < 5000; from += 500) {
      if (from % 1000 === 500) await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await Promise.all(ids(5000).slice(from, from + 500).map((id) => storing.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS') })))
    }

    await within(all.promise, '5,000 results', 20_000)
  })

  test('stores what it says, and says that it stored, while its connection is killed again and again', async () => {
    const published: string[] = []
    const subscriber = await server.client(fixture.url)
    await subscriber.pSubscribe('celery-task-meta-*', (_, channel) => void published.push(channel))
    const storing: Promise<boolean>[] = []

    for (const [index, id] of ids(5000).entries()) {
      storing.push(backend.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS') }))
      if (index % 50 === 0) await turn()
      if (index % 1000 === 500) void client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    }

    expect((await Promise.all(storing)).filter(Boolean)).toHaveLength(5000)
    expect(await backend.getMany(ids(5000))).toHaveLength(5000)
    await expect.poll(() => published.length).toBe(5000)
    expect(new Set(published).size).toBe(5000)
    subscriber.destroy()
  })

  test.each(['json', 'msgpack', 'yaml'] as const)('takes a repeated call for the one that was made, and nobody else’s, in %s', async (resultSerializer) => {
    const redis = { resultSerializer }
    const link = await CutLink.open(server.port)
    const url = fixture.url.replace(String(server.port), String(link.port))
    const behind = new RedisBackend(url, { clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000, redis })
    await behind.connect()
    const other = await fixture.open({ redis })
    const theirs = { taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS', '"theirs"') } as const
    await other.store(theirs)
    expect(await other.store(theirs)).toBe(false)

    link.loseNextReply()
    const stored = await Promise.all(['b', 'a'].map((taskId) => behind.store({ taskId, status: 'SUCCESS', text: meta(taskId, 'SUCCESS') })))

    expect(link.cuts).toBe(1)
    expect(stored).toEqual([true, false])
    await behind.close()
    await link.close()
  })

  test('closes within one timeout while the server is frozen', async () => {
    const frozen = await RedisServer.start()
    const { open, dispose } = await redisFixture(frozen)
    const closing = await open({ connectionTimeoutMs: 1500 })
    closing.subscribe('a', () => {})
    await closing.getMany(['a'])
    frozen.pause()
    const reads = [closing.get('b'), closing.store({ taskId: 'c', status: 'SUCCESS', text: meta('c', 'SUCCESS') })]
    const ended = Promise.allSettled(reads)
    const fromMs = performance.now()

    await closing.close()

    expect(performance.now() - fromMs).toBeLessThan(2200)
    expect((await within(ended, 'the calls to end')).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await dispose()
    await frozen.dispose()
  })

  test('has its scripts again after they were flushed', async () => {
    await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })
    await client.sendCommand(['SCRIPT', 'FLUSH'])

    const stored = await Promise.all(ids(500).map((id) => backend.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS') })))

    expect(stored.filter(Boolean)).toHaveLength(500)
  })

  test('keeps the process alive for a subscription only', async () => {
    const run = (body: string): Promise<[number | null]> => {
      const module = join(import.meta.dirname, '../../src/backends/redis/backend.ts')
      const clock = join(import.meta.dirname, '../../src/internal/clock.ts')
      const head = `
        import { RedisBackend } from '${module}'
        import { systemClock } from '${clock}'
        const backend = new RedisBackend('${fixture.url}', { clock: systemClock, connectionTimeoutMs: 4000, logger: console })
        await backend.connect()`
      const args = ['--unhandled-rejections=strict', '--input-type=module', '-e', `${head}\n${body}`]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
      return once(child, 'exit') as Promise<[number | null]>
    }
    const ended = run(`await backend.get('a'); const end = backend.subscribe('a', () => {}); await backend.get('a'); end()`)
    const told = run(`const end = backend.subscribe('b', () => { end(); process.exitCode = 7 })`)

    expect(await within(ended, 'an idle process to end', 10_000)).toEqual([0, null])
    await expect.poll(() => client.pubSubChannels('*'), { timeout: 10_000 }).toEqual(['celery-task-meta-b'])
    await client.publish('celery-task-meta-b', meta('b', 'SUCCESS'))
    expect(await within(told, 'a told process to end', 10_000)).toEqual([7, null])
  })

  test('holds no more memory and no more handles after thousands of results were waited for', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const round = async (name: string): Promise<number> => {
      await Promise.all(
        ids(4000).map(async (each) => {
          const id = `${name}-${each}`
          const told = Promise.withResolvers<void>()
          const end = backend.subscribe(id, () => told.resolve())
          await backend.get(id)
          await backend.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS'), expiresAtMs: Date.now() + 60_000 })
          await told.promise
          end()
        }),
      )
      await expect.poll(() => client.pubSubChannels('*')).toEqual([])
      collect()
      return process.memoryUsage().heapUsed
    }
    await round('warm')
    const handles = process.getActiveResourcesInfo().length
    const before = await round('first')

    for (const name of ['second', 'third']) await round(name)

    expect((await round('last')) - before).toBeLessThan(2 ** 20)
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(handles)
  })
})

describeRedis('result backend redis when the server goes', () => {
  let server: RedisServer
  let backend: RedisBackend

  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true, password: 'sesame', config: { appendfsync: 'always' } })
    backend = new RedisBackend(server.url(), { clock: systemClock, logger: silentLogger, connectionTimeoutMs: 1000 })
    await backend.connect()
  })

  afterEach(async () => {
    await backend.close()
    await server.dispose()
  })

  test('rejects every call in time, with one line that keeps the password', async () => {
    await server.stop()

    const calls = [
      () => backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') }),
      () => backend.get('a'),
      () => backend.getMany(['a', 'b']),
      () => backend.forget('a'),
      () => backend.saveGroup('g', '{"result": []}', undefined),
      () => backend.getGroup('g'),
      () => backend.deleteGroup('g'),
      () => backend.cleanup(),
    ]

    const began = performance.now()
    const faults = await Promise.all(calls.map((call) => call().catch((error: unknown) => error)))
    expect(performance.now() - began).toBeLessThan(2500)
    for (const fault of faults) {
      expect(fault).toBeInstanceOf(OperationalError)
      expect(String(fault)).toContain('The result backend "redis://:***@127.0.0.1')
      expect(String(fault)).not.toMatch(/sesame|\n/)
    }
  })

  test('cannot be connected where there is no server, and can be later', async () => {
    const port = await freePort()
    const late = new RedisBackend(`redis://127.0.0.1:${port}`, { clock: systemClock, logger: silentLogger, connectionTimeoutMs: 500 })
    await expect(late.connect()).rejects.toThrow(OperationalError)

    const itsServer = await RedisServer.start({ port })
    await late.connect()

    expect(await late.get('a')).toBeUndefined()
    await late.close()
    await itsServer.dispose()
  })

  test('keeps results over a crash of the server, and hears of what is stored after it', async () => {
    await Promise.all(ids(500).map((id) => backend.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS') })))
    const told = Promise.withResolvers<string>()
    backend.subscribe('a', ({ text }) => told.resolve(text))
    await backend.get('a')

    await server.kill()
    await server.restart()
    const storing = new RedisBackend(server.url(), { clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000 })
    await storing.connect()
    await storing.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })

    expect(await within(told.promise, 'the result')).toBe(meta('a', 'SUCCESS'))
    expect(await storing.getMany(ids(500))).toHaveLength(500)
    await storing.close()
  })

  test('hears of what is stored for a subscription that began while there was no server', async () => {
    await server.stop()
    const told = Promise.withResolvers<string>()
    backend.subscribe('a', ({ text }) => told.resolve(text))
    await expect(backend.get('a')).rejects.toThrow(OperationalError)

    await server.restart()
    const client = await server.client()
    await client.set('celery-task-meta-a', meta('a', 'SUCCESS'))

    expect(await within(told.promise, 'the result', 10_000)).toBe(meta('a', 'SUCCESS'))
  })

  test('closes with subscriptions open and calls under way, whether or not the server is there', async () => {
    backend.subscribe('a', () => {})
    await backend.get('a')
    await server.kill()
    backend.subscribe('b', () => {})
    const getting = backend.get('b').catch((error: unknown) => error)

    await within(backend.close(), 'the backend to close')

    expect(await within(getting, 'the call to end')).toBeInstanceOf(Error)
  })
})

/** A way to a server that can break after the server has done what it was sent, and before it says so. */
class CutLink {
  readonly port: number
  cuts = 0
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  #isCutting = false

  private constructor(listener: Server, serverPort: number) {
    this.port = (listener.address() as AddressInfo).port
    this.#listener = listener
    listener.on('connection', (near) => this.#join(near, createConnection(serverPort, '127.0.0.1')))
  }

  static async open(serverPort: number): Promise<CutLink> {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    return new CutLink(listener, serverPort)
  }

  loseNextReply(): void {
    this.#isCutting = true
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
    near.pipe(far)
    far.on('data', (reply) => {
      if (!this.#isCutting) return void near.write(reply)
      this.#isCutting = false
      this.cuts += 1
      near.destroy()
    })
  }
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `id-${index}`)
}

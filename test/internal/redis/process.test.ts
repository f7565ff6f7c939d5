import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeRedis, freePort, RedisServer, type TestRedisClient } from '../../support/redis-server.ts'
import { within } from '../../support/within.ts'

const WITHOUT_REDIS = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, next) {
      return next(specifier === 'redis' ? 'a-package-that-nobody-has-installed' : specifier, context)
    },
  })
`)}`

describeRedis('a process that uses Redis', () => {
  let server: RedisServer
  let other: TestRedisClient
  let child: ChildProcess | undefined
  let output: string
  let errors: string

  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true })
    other = await server.client()
  })

  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await server.dispose()
  })

  function start(what: string, url = server.url(), flags: readonly string[] = []): ChildProcess {
    child = spawn(process.execPath, ['--unhandled-rejections=strict', ...flags, `${import.meta.dirname}/process-main.ts`, what, url], { stdio: ['ignore', 'pipe', 'pipe'] })
    output = errors = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    return child
  }

  const ended = async (process: ChildProcess, ms = 10_000): Promise<unknown> => (await within(once(process, 'close'), 'the end of the process', ms))[0]
  const count = (word: string): number => output.split('\n').filter((line) => line === word).length

  test('ends by itself when it is idle, connected and subscribed', async () => {
    expect(await ended(start('idle'))).toBe(0)

    expect([output, errors]).toEqual(['ready\n', ''])
  })

  test('ends by itself while its connection is being made again', async () => {
    const process = start('release')
    await expect.poll(() => count('ready'), { timeout: 5000 }).toBe(1)
    await server.kill()

    expect(await ended(process)).toBe(0)
    expect(output).toBe('ready\nlost\n')
  })

  test('lives on while it holds the connection, with and without the server', async () => {
    const process = start('hold')
    await expect.poll(() => count('ready'), { timeout: 5000 }).toBe(1)
    await server.kill()
    await expect.poll(() => count('lost')).toBe(1)
    await sleep(1500)
    await server.restart()
    await expect.poll(() => count('back'), { timeout: 5000 }).toBe(1)
    await sleep(500)

    expect(process.exitCode).toBeNull()
    expect(errors).toBe('')
  })

  test('lives on until its command has been answered', async () => {
    const process = start('wait')
    await expect.poll(() => count('ready'), { timeout: 5000 }).toBe(1)
    await sleep(500)
    await other.rPush('queue', 'x')

    expect(await ended(process)).toBe(0)
    expect(output).toBe('ready\nqueue,x\n')
  })

  test('never dies of an error or of a rejection, whatever happens to the server', async () => {
    const process = start('work')
    await expect.poll(() => count('ready'), { timeout: 5000 }).toBe(1)

    for (let times = 1; times <= 3; times++) {
      await server.kill()
      await expect.poll(() => count('lost'), { timeout: 5000 }).toBe(times)
      await sleep(300)
      await server.restart()
      await expect.poll(() => count('back'), { timeout: 5000 }).toBe(times)
    }
    other = await server.client()
    for (const type of ['normal', 'pubsub']) await other.sendCommand(['CLIENT', 'KILL', 'TYPE', type])
    await expect.poll(() => count('back'), { timeout: 5000 }).toBe(4)
    await expect.poll(() => other.pubSubChannels(), { timeout: 5000 }).toEqual(['news'])
    await other.publish('news', 'still here')
    await expect.poll(() => count('still here'), { timeout: 5000 }).toBe(1)

    expect(process.exitCode).toBeNull()
    expect(errors).toBe('')
  })

  test('is told in one line what to install when the package is missing', async () => {
    expect(await ended(start('connect', server.url(), ['--import', WITHOUT_REDIS]))).toBe(0)

    expect([output, errors]).toEqual(['ImproperlyConfigured: The broker "redis" needs the package "redis". Install it: npm install redis\n', ''])
  })

  test('is told in one line that there is no server', async () => {
    const port = await freePort()

    expect(await ended(start('connect', `redis://127.0.0.1:${port}`))).toBe(0)
    expect(output).toBe(`OperationalError: The broker "redis" cannot be reached: nothing listens at 127.0.0.1:${port} (ECONNREFUSED). Start the server, or correct the URL.\n`)
    expect(errors).toBe('')
  })
})

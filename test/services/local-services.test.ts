import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { LocalServices } from '../../src/app.ts'
import type { Broker } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { loadConfig } from '../../src/config/config.ts'
import { ImproperlyConfigured, StartTimeoutError } from '../../src/errors.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { localServices } from '../../src/services/local-services.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { turn, within } from '../support/within.ts'
import { storeUrl } from '../support/store.ts'
import { KeptLog } from './support.ts'
import { alive, descendants, environment, fixture, gone, loggingInto, newFolder, startWeb, until } from './web-process.ts'

failOnLeftovers()

let folder: string
let broker: Broker
let services: LocalServices
let log: KeptLog

beforeEach(() => {
  folder = newFolder()
  writeFileSync(join(folder, 'no-folder'), 'a file')
  log = new KeptLog()
})

afterEach(async () => {
  await services?.stop({ timeoutMs: 0 })
  await broker?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('start', () => {
  test('resolves when every worker consumes, with living processes and their logs', async () => {
    make({ workers: ['foo', 'bar'] })

    await services.start()

    expect(new Set((await broker.consumers()).map(({ name }) => name.split('@')[0]))).toEqual(new Set(['bar', 'foo']))
    expect(services.processes.map(({ name, kind }) => [name.split('@')[0], kind])).toEqual([['foo', 'worker'], ['bar', 'worker']])
    expect(alive(descendants(process.pid)).map(({ pid }) => pid)).toEqual(expect.arrayContaining(services.processes.map(({ pid }) => pid)))
    expect(services.logs).toEqual([join(folder, 'logs', 'foo.log'), join(folder, 'logs', 'bar.log')])
    expect(statSync(join(folder, 'logs')).mode & 0o777).toBe(0o700)
  })

  test('starts nothing a second time', async () => {
    make()
    await services.start()
    const before = services.processes

    await services.start()
    services.ensure()

    expect(services.processes).toEqual(before)
    expect(workers()).toHaveLength(1)
  })

  test('works again after stop, and a second stop does nothing', async () => {
    make()
    await services.start()
    const first = descendants(process.pid)

    await services.stop()
    await services.stop()
    expect(services.processes).toEqual([])
    expect(alive(first)).toEqual([])

    await services.start()
    expect(services.processes).toHaveLength(1)
  })

  test('fails after the timeout with the end of the log, and leaves no process', async () => {
    make({}, 'silent-worker.ts')
    const startedAt = performance.now()

    const error: unknown = await services.start({ timeoutMs: 1_500 }).catch((reason: unknown) => reason)

    expect(error).toBeInstanceOf(StartTimeoutError)
    expect((error as StartTimeoutError).message).toMatch(/not ready after 1\.5 s \(not consuming: "worker1@.*ends with:\nconnecting to nowhere$/s)
    expect((error as StartTimeoutError).log).toBe('connecting to nowhere')
    expect(performance.now() - startedAt).toBeLessThan(2_500)
    expect(workers()).toEqual([])
  })

  test('fails at once with the reason when a worker cannot start', async () => {
    make({ workers: { foo: { pidfile: join(folder, 'no-folder', 'foo.pid') } } })

    await expect(services.start()).rejects.toThrow(/Worker "foo@.*" exited with code 1: .*no-folder.*before it was ready/s)
    expect(workers()).toEqual([])
  })

  test('refuses a broker that other processes cannot see', async () => {
    make({ brokerUrl: 'memory://apart' })

    await expect(services.start()).rejects.toThrow(ImproperlyConfigured)
  })

  test.each(['worker', 'pool'])('does nothing inside a %s process', async (role) => {
    make()
    process.env['CELERIAC_ROLE'] = role
    try {
      services.ensure()
      await services.start()
    } finally {
      delete process.env['CELERIAC_ROLE']
    }

    expect(services.processes).toEqual([])
  })
})

describe('ensure', () => {
  test('starts in the background', async () => {
    make()

    services.ensure()
    services.ensure()
    await until(async () => (await broker.consumers().catch(() => [])).length === 1 || undefined, () => 'the worker to consume')

    expect(workers()).toHaveLength(1)
    expect(log.lines).toEqual([])
  })

  test('does nothing when local workers are switched off, which an explicit start overrides', async () => {
    make({ startLocalWorkers: false })

    services.ensure()
    await turn()
    expect(workers()).toEqual([])
    expect(existsSync(join(folder, 'logs'))).toBe(false)

    await services.start()
    expect(workers()).toHaveLength(1)
  })

  test('says once why nothing could be started, and goes on trying', async () => {
    make({ workers: { foo: { pidfile: join(folder, 'no-folder', 'foo.pid') } } })

    services.ensure()
    await until(() => log.lines[0], () => 'a warning')
    const attempts = () => readFileSync(join(folder, 'logs', 'foo.log'), 'utf8').split('could not start').length - 1
    await until(() => attempts() >= 3 || undefined, () => 'three attempts')

    expect(log.lines).toEqual([expect.stringMatching(/^warn Worker "foo@.*before it was ready/s)])
  })

  test('goes on when a start that came later fails, and remembers why until the workers run', async () => {
    const inTheWay = join(folder, 'foo.pid')
    writeFileSync(inTheWay, `${process.pid}\n`)
    make({ workers: { foo: { pidfile: inTheWay } } })
    expect(services.fault).toBeUndefined()

    services.ensure()
    await expect(services.start()).rejects.toThrow(StartTimeoutError)
    expect(services.fault?.message).toContain(`belongs to a running process (${process.pid})`)
    rmSync(inTheWay)

    await until(() => services.processes[0] && services.fault === undefined, () => 'the worker to run')
    expect(workers()).toHaveLength(1)
  })

  test('says nothing when it is stopped before the workers are ready', async () => {
    make({}, 'silent-worker.ts')

    services.ensure()
    await turn()
    await services.stop({ timeoutMs: 0 })

    expect(log.lines).toEqual([])
    expect(services.fault).toBeUndefined()
  })

  test('replaces a worker that was killed, children and all', async () => {
    make()
    await services.start()
    const before = descendants(process.pid)
    const [worker] = services.processes

    process.kill(worker?.pid as number, 'SIGKILL')
    await gone(before, 3_000)

    const [next] = await until(() => (services.processes.some(({ pid }) => pid !== worker?.pid) ? services.processes : undefined), () => 'another worker')
    await services.start()
    expect(services.processes).toEqual([{ ...worker, pid: next?.pid }])
  })
})

describe('a worker process', () => {
  test('writes its pidfile and removes it when it ends', async () => {
    const pidfile = join(folder, '%n.pid')
    make({ workers: { foo: { pidfile } } })

    await services.start()
    expect(readFileSync(join(folder, 'foo.pid'), 'utf8').trim()).toBe(String(services.processes[0]?.pid))

    await services.stop()
    expect(existsSync(join(folder, 'foo.pid'))).toBe(false)
  })

  test('has neither URL nor secret among its arguments, nor have its children', async () => {
    make()
    await services.start()

    const commands = descendants(process.pid).map(({ command }) => command)

    expect(commands.length).toBeGreaterThanOrEqual(2)
    for (const command of commands) expect(command).not.toMatch(/sqlite:|redis:|queue\.db/)
  })
})

test('a script that only submits ends by itself, and with it the worker that it began to start', async () => {
  const web = startWeb([fixture('submit-only.ts')], environment(folder))

  expect(await within(web.ended, 'the end of the script', 10_000)).toEqual({ code: 0, signal: null })
  expect(web.output()).toBe('')
  await until(() => loggingInto(folder).length === 0 || undefined, () => `the end of ${loggingInto(folder).join(', ')}`, 3_000)
})

function make(options: Record<string, unknown> = {}, workerEntry?: string): void {
  const conf = loadConfig({
    options: { root: folder, logDir: join(folder, 'logs'), brokerUrl: storeUrl(folder), workerConcurrency: 1, workerSoftShutdownTimeout: 1, ...options },
    env: {},
  })
  broker = openBroker(conf.brokerUrl, {
    root: folder,
    clock: systemClock,
    logger: log,
    connectionTimeoutMs: 4_000,
    visibilityTimeoutMs: 10_000,
    synchronous: 'normal',
    allowNetworkFileSystem: false,
    maxMessageSize: 1_000_000,
  })
  const entry = workerEntry === undefined ? {} : { workerEntry: fixture(workerEntry) }
  services = localServices({ broker, conf, root: folder, logger: log, clock: systemClock, app: undefined, ...entry })
}

function workers(): number[] {
  return descendants(process.pid).filter(({ command }) => command.includes('worker-main') || command.includes('silent-worker')).map(({ pid }) => pid)
}

test('an application whose workers have names that another project uses on the same broker, for other queues, gets its own', async () => {
  make({ workers: { foo: { queues: ['theirs'] } } })
  await services.start()
  const conf = loadConfig({ options: { root: folder, logDir: join(folder, 'others'), brokerUrl: storeUrl(folder), workers: { foo: { queues: ['ours'] } } }, env: {} })
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  const others = localServices({ broker, conf, root: elsewhere, logger: log, clock: systemClock, app: undefined })
  try {
    await others.start()

    expect(others.processes).toHaveLength(1)
    expect((await broker.consumers()).flatMap(({ queues }) => queues).sort()).toEqual(['ours', 'theirs'])
  } finally {
    await others.stop({ timeoutMs: 0 })
  }
})

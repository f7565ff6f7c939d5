import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { onRedis, storeUrl } from '../support/store.ts'
import { APP, project, type RunningCommand, run, start } from './command.ts'

failOnLeftovers()
const node = `foo@${hostname()}`
const folder = project({ 'app.ts': APP })
let worker: RunningCommand

beforeAll(async () => {
  worker = start(folder, ['-A', './app.ts', 'worker', '-n', 'foo@%h', '-c', '1', '-l', 'WARNING'])
  await worker.printed(`${node} ready.`)
})

afterAll(async () => {
  worker.signal('SIGTERM')
  await worker.ended()
})

/** Runs a command quietly on the application of this file. */
const celeriac = (...words: string[]) => run(folder, ['-q', ...words])

async function call(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await celeriac('call', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

describe('celeriac status', () => {
  test('shows the workers that reply', async () => {
    const { code, stdout } = await run(folder, ['-A', './app.ts', 'status'])

    expect(stdout).toBe(`${node}: OK\n\n1 node online.\n`)
    expect(code).toBe(0)
  })

  test('prints JSON', async () => {
    const { code, stdout } = await celeriac('status', '--json')

    expect(JSON.parse(stdout)).toEqual({ [node]: 'OK' })
    expect(code).toBe(0)
  })

  test('fails with exit code 69 when nobody replies', async () => {
    const { code, stdout, stderr } = await celeriac('status', '-b', 'sqlite:other.db')

    expect(stderr).toBe('Error: No nodes replied within 1 second.\n')
    expect(stdout).toBe('')
    expect(code).toBe(69)
  })
})

describe('celeriac call and result', () => {
  test('send a task and print its result as JSON', async () => {
    const id = await call('shop.add', '-a', '["a", "b"]')

    const { code, stdout } = await celeriac('result', id, '--timeout', '10')

    expect(stdout).toBe('"ab"\n')
    expect(code).toBe(0)
  })

  test('show what JSON cannot hold', async () => {
    const id = await call('shop.prices')

    expect((await celeriac('result', id, '--timeout', '10')).stdout).toBe("Map(1) { 'cat' => [ 2n ] }\n")
  })

  test('bind keyword arguments and take an id', async () => {
    expect(await call('shop.add', '-k', '{"x": 40, "y": 2}', '--task-id', 'mine', '--priority', '9', '--expires', '1h')).toBe('mine')

    expect((await celeriac('result', 'mine', '--timeout', '10')).stdout).toBe('42\n')
  })

  test('say that a task is pending and fail', async () => {
    const id = await call('shop.add', '-a', '[1, 2]', '--countdown', '1h')

    const { code, stdout, stderr } = await celeriac('result', id)

    expect(stderr).toContain(`Task ${id} is still PENDING`)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test('print the error of a failed task and fail', async () => {
    const id = await call('shop.fail')

    const waited = await celeriac('result', id, '--timeout', '10')
    const traced = await celeriac('result', id, '--traceback')

    expect(waited).toEqual({ code: 1, stdout: '', stderr: 'Error: RangeError: too far\n' })
    expect(traced.stderr).toMatch(/RangeError: too far\n {4}at fail .*app\.ts/)
    expect(traced.code).toBe(1)
  })

  test('refuse a broker that no other process can see', async () => {
    const { code, stderr } = await celeriac('call', 'shop.add', '-b', 'memory:')

    expect(stderr).toContain('The broker "memory:" lives within one process')
    expect(code).toBe(2)
  })

  test('say what is wrong with a URL without its password', async () => {
    const { code, stderr } = await celeriac('call', 'shop.add', '-b', 'amqp://me:hidden@host')

    expect(stderr).toContain('"amqp:", which is not available in this version')
    expect(stderr).not.toContain('hidden')
    expect(code).toBe(2)
  })
})

describe('celeriac purge', () => {
  test('erases what waits in the queues that it is given', async () => {
    for (const _ of [1, 2, 3]) await call('shop.add', '--queue', 'idle')

    expect((await celeriac('purge', '-f', '-Q', 'idle')).stdout).toBe('Purged 3 messages from 1 known task queue.\n')
    expect((await celeriac('purge', '-f', '-Q', 'idle,other')).stdout).toBe('No messages purged from 2 known task queues.\n')
  })

  test('asks first, and takes no answer for no', async () => {
    const mark = join(folder, 'never')
    await call('shop.hold', '-a', JSON.stringify([mark, 1]))

    const unanswered = await run(folder, ['-q', 'purge'])
    const refused = await run(folder, ['-q', 'purge'], { input: 'n\n' })
    const confirmed = await run(folder, ['-q', 'purge', '-Q', 'slow'], { input: 'y\n' })

    expect(unanswered.stderr).toContain('This will remove all tasks from queues: celery, slow.')
    expect([unanswered.code, refused.code, confirmed.code]).toEqual([1, 1, 0])
    expect(confirmed.stdout).toBe('Purged 1 message from 1 known task queue.\n')
    expect(existsSync(mark)).toBe(false)
  })
})

describe('celeriac report', () => {
  test('shows versions, and which layer decided each value', async () => {
    const { code, stdout } = await run(folder, ['report', '--result-backend', 'sqlite:results.db'], { env: { CELERY_TASK_DEFAULT_PRIORITY: '3' } })

    expect(stdout).toMatch(/software -> celeriac:\d\S+ node:\d\S+ sqlite:\d/)
    expect(stdout).toContain(`transport:${onRedis ? storeUrl(folder) : 'sqlite:'} results:sqlite:results.db`)
    expect(stdout).toMatch(/^resultBackend +"sqlite:results.db" {2}\(command line\)$/m)
    expect(stdout).toMatch(/^taskDefaultPriority +3 {2}\(environment\)$/m)
    expect(stdout).toMatch(/^main +"shop" {2}\(constructor\)$/m)
    expect(stdout).toMatch(/^taskAcksLate +true {2}\(default\)$/m)
    expect(code).toBe(0)
  })
})

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Celery, currentApp, currentTask, EncodeError, NotRegistered } from '../../src/index.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import * as context from './fixtures/context.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let root: string
let celery: Celery

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'celeriac-eager-'))
  writeFileSync(join(root, 'package.json'), '{}')
  celery = new Celery({ root: process.cwd(), logDir: join(root, 'logs'), taskAlwaysEager: true })
})

afterEach(async () => {
  await celery.close()
  rmSync(root, { recursive: true, force: true })
})

describe('with taskAlwaysEager', () => {
  test('a task has run in this process when it is submitted', async () => {
    const future = await celery.submit(tasks.processId)

    expect(await future.state()).toBe('SUCCESS')
    expect(await future.result()).toBe(process.pid)
    expect(await celery.submit(tasks.add, 1, 2).result({ timeout: 0 })).toBe(3)
  })

  test('no process is started, no file is written and no socket is opened', async () => {
    const before = process.getActiveResourcesInfo().filter((each) => each !== 'Timeout' && each !== 'Immediate')
    const kept = existsSync(join(process.cwd(), '.celeriac'))

    await celery.submit(tasks.add, 1, 2).result()
    await (await celery.map(tasks.add, [1, 2], [3, 4])).result()

    expect(leftovers()).toEqual([])
    expect(celery.processes).toEqual([])
    expect(readdirSync(root)).toEqual(['package.json'])
    expect(existsSync(join(process.cwd(), '.celeriac'))).toBe(kept)
    expect(process.getActiveResourcesInfo().filter((each) => each !== 'Timeout' && each !== 'Immediate')).toEqual(before)
  })

  test('map, delay, pools and callbacks work as ever', async () => {
    const pool = await celery.map(tasks.add, [1, 2], [3, 4])
    const called = Promise.withResolvers<number>()
    const task = celery.task(tasks.add)

    expect(await pool.result()).toEqual([3, 7])
    expect(await task.delay(1, 2).result()).toBe(3)
    ;(await celery.submit(tasks.add, 20, 1)).addDoneCallback((future) => called.resolve(future.result()))
    expect(await called.promise).toBe(21)
    await pool.save()
    expect(await celery.getPool<number>(pool.id).result()).toEqual([3, 7])
    expect(await celery.get<number>(pool.at(0)?.id ?? '').result()).toBe(3)
  })

  test('arguments and results cross the wire format', async () => {
    const given = { list: [1] }

    const returned = await celery.submit(tasks.echo, given).result()

    expect(returned).toEqual(given)
    expect(returned).not.toBe(given)
    expect(() => celery.submit(tasks.echo, Promise.resolve())).toThrow(EncodeError)
    expect(await (await celery.submit(tasks.returnPromise)).exception()).toBeInstanceOf(EncodeError)
  })

  test('the task knows itself, and that it is eager', async () => {
    const future = await celery.submit(context.describeCurrent, 1)

    expect(await future.result()).toMatchObject({ id: future.id, args: [1], isEager: true, aborted: false })
    expect(currentTask()).toBeUndefined()
  })

  test('a task that a task submits has it as its parent', async () => {
    const inner = celery.task({ name: 'inner' }, () => currentTask()?.parentId)
    const outer = celery.task({ name: 'outer' }, () => inner.delay().result())

    const future = await outer.delay()

    expect(await future.result()).toBe(future.id)
  })

  test('what a task reports is stored', async () => {
    const future = await celery.submit(context.countTo, 3)

    expect(await future.result()).toBe(3)
    expect(await future.state()).toBe('SUCCESS')
  })

  test('an error is the result, not thrown by the call', async () => {
    const future = await celery.submit(tasks.throwWithCause)

    expect(await future.state()).toBe('FAILURE')
    await expect(future.result()).rejects.toThrow(TypeError)
    expect(await future.traceback()).toContain('outer')
  })

  test('a task known by name alone runs if it is registered here', async () => {
    celery.task({ name: 'proj.add' }, tasks.add)

    expect(await celery.sendTask('proj.add', [1], { b: 2 }).result()).toBe(3)
    expect(await (await celery.sendTask('proj.unheard')).exception()).toBeInstanceOf(NotRegistered)
  })

  test('the current application is the one that celery was made with', async () => {
    const app = Fastify()
    const own = new Celery(app, { taskAlwaysEager: true })
    const named = own.task({ name: 'app' }, () => currentApp() === app)

    expect(await named.delay().result()).toBe(true)

    await app.close()
  })
})

describe('with taskEagerPropagates too', () => {
  beforeEach(() => {
    celery.conf.taskEagerPropagates = true
  })

  test('the call itself fails with the error of the task', async () => {
    await expect(celery.submit(tasks.throwWithCause)).rejects.toMatchObject({ name: 'TypeError', message: 'outer', cause: { message: 'inner' } })
    await expect(celery.map(tasks.throwText, [])).rejects.toThrow('just text')
  })

  test('a call that nobody waits for is no unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listener)

    const { id } = celery.submit(tasks.throwText)
    await celery.get(id).exception()
    await new Promise((resolve) => setImmediate(resolve))

    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})

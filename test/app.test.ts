import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { applications } from '../src/app.ts'
import { Celery, ClosedError, ImproperlyConfigured, InvalidTaskError } from '../src/index.ts'
import { looksLikeWebApp } from '../src/web-app.ts'
import { failOnLeftovers } from './support/leaks.ts'
import { within } from './support/within.ts'
import { add } from './worker/fixtures/tasks.ts'
import { storeIsUsed, storeUrl } from './support/store.ts'

failOnLeftovers()

let folder: string
const open: Celery[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'celeriac-app-'))
})

afterEach(async () => {
  for (const celery of open.splice(0)) await celery.close()
  rmSync(folder, { recursive: true, force: true })
})

function application(...given: ConstructorParameters<typeof Celery>): Celery {
  const celery = new Celery(...given)
  open.push(celery)
  return celery
}

/** Options for one that keeps to the folder of the test and starts nothing. */
function ownStore(): { brokerUrl: string; startLocalWorkers: boolean } {
  return { brokerUrl: storeUrl(folder), startLocalWorkers: false }
}

describe('a Celery application', () => {
  test('is made of nothing, a name, options or a web application', async () => {
    const web = Fastify()

    expect(application().main).toBe('celeriac')
    expect(application('proj').main).toBe('proj')
    expect(application('proj', { taskDefaultQueue: 'q' }).conf.taskDefaultQueue).toBe('q')
    expect(application({ main: 'proj', taskDefaultQueue: 'q' }).conf.taskDefaultQueue).toBe('q')
    expect(application(web, { main: 'proj' }).webApp).toBe(web)
    expect(application(web).webApp).toBe(web)

    await web.close()
  })

  test('says at once what is wrong with its configuration', () => {
    expect(() => new Celery({ workerConcurrency: -1, taskDefaultPriority: 99 })).toThrow(ImproperlyConfigured)
  })

  test('takes no URL for its name', () => {
    expect(() => new Celery('sqlite:queue.db')).toThrow(/looks like a URL/)
  })

  test('refuses stores that its workers could not see', async () => {
    const celery = application({ brokerUrl: storeUrl(folder), resultBackend: 'memory:', startLocalWorkers: true })

    await expect(celery.submit(add, 1, 2)).rejects.toThrow(/resultBackend "memory:" is in this process/)
  })

  test('keeps no store open when the other cannot be opened', async () => {
    const broken = join(folder, 'broken.db')
    writeFileSync(broken, 'this is no database at all, however long one looks at it')
    const celery = application({ ...ownStore(), resultBackend: `sqlite://${broken}` })

    await expect(celery.open()).rejects.toThrow('broken.db')

    const held = readdirSync('/proc/self/fd').map((fd) => readlinkOf(`/proc/self/fd/${fd}`))
    expect(held.filter((path) => path.startsWith(folder))).toEqual([])
  })

  test('opens and writes nothing until it is used', async () => {
    const celery = application(ownStore())
    celery.task(add)
    celery.get('id')

    expect(storeIsUsed(folder)).toBe(false)

    await celery.submit(add, 1, 2)
    expect(storeIsUsed(folder)).toBe(true)
  })

  test('can be changed until it is used, then no more', async () => {
    const celery = application(ownStore())
    celery.conf.taskDefaultQueue = 'late'

    const future = await celery.submit(add, 1, 2)

    expect(await future.queue()).toBe('late')
    expect(() => (celery.conf.taskDefaultQueue = 'later')).toThrow(ImproperlyConfigured)
  })

  test('takes its web application later, with more options', async () => {
    const web = Fastify()
    const celery = application()

    expect(celery.initApp(web, { ...ownStore(), taskDefaultQueue: 'late' })).toBe(celery)

    expect(celery.webApp).toBe(web)
    expect(celery.conf.taskDefaultQueue).toBe('late')
    expect(() => celery.initApp({} as never)).toThrow(InvalidTaskError)
    await web.close()
  })

  test('closes with its Fastify application', async () => {
    const web = Fastify()
    const celery = application(web, ownStore())
    await celery.submit(add, 1, 2)

    await web.close()

    await expect(celery.submit(add, 1, 2)).rejects.toThrow(ClosedError)
  })

  test('has no state for an id that nobody submitted', async () => {
    const celery = application(ownStore())

    expect(await celery.get('unheard').state()).toBe('PENDING')
    expect(() => celery.get('')).toThrow(InvalidTaskError)
    expect(() => celery.getPool(undefined as never)).toThrow(InvalidTaskError)
    expect(await celery.status()).toEqual({})
  })

  test('can be used again when its store could not be opened at first', async () => {
    writeFileSync(join(folder, 'blocked'), 'a file where a folder should be')
    const celery = application({ brokerUrl: `sqlite://${folder}/blocked/queue.db`, startLocalWorkers: false })
    await expect(celery.submit(add, 1, 2)).rejects.toThrow(/blocked/)

    rmSync(join(folder, 'blocked'))

    expect((await celery.submit(add, 1, 2)).id).toBeDefined()
  })
})

describe('closing', () => {
  test('may be asked for twice, and before anything was opened', async () => {
    const celery = application(ownStore())

    await Promise.all([celery.close(), celery.close()])
    await celery.close()

    expect(applications()).not.toContain(celery)
    await expect(celery.submit(add, 1, 2)).rejects.toThrow(ClosedError)
    expect(storeIsUsed(folder)).toBe(false)
  })

  test('while the first submit is under way lets that end one way or the other', async () => {
    const celery = application(ownStore())

    const submitted = celery.submit(add, 1, 2)
    await within(celery.close(), 'the application to close')

    await within(Promise.allSettled([submitted]), 'the submit to settle')
  })

  test('ends the waits for results', async () => {
    const celery = application(ownStore())
    const future = await celery.submit(add, 1, 2)
    const waiting = future.result()
    // The wait is under way once its first look at the store is over.
    await future.state()

    await Promise.all([expect(within(waiting, 'the wait to end')).rejects.toThrow(ClosedError), celery.close()])
  })

  test('happens at the end of a block', async () => {
    let closed: Celery
    {
      await using celery = application(ownStore())
      await celery.submit(add, 1, 2)
      closed = celery
    }

    await expect(closed.submit(add, 1, 2)).rejects.toThrow(ClosedError)
  })
})

test('what a done callback throws is told by the error event', async () => {
  const celery = application({ taskAlwaysEager: true })
  const told = Promise.withResolvers<unknown>()
  celery.on('error', told.resolve)

  ;(await celery.submit(add, 1, 2)).addDoneCallback(() => {
    throw new RangeError('in the callback')
  })

  expect(await within(told.promise, 'the error event')).toBeInstanceOf(RangeError)
})

test.each([
  ['Fastify', Fastify(), true],
  ['something like Express', Object.assign(() => {}, { use: () => {}, listen: () => {} }), true],
  ['something like Hono', { fetch: () => {} }, true],
  ['something like Nest', { getHttpServer: () => {} }, true],
  ['options', { brokerUrl: 'sqlite:' }, false],
  ['a name', 'proj', false],
  ['nothing', undefined, false],
  ['null', null, false],
])('%s is told from what is no web application', (_what, value, expected) => {
  expect(looksLikeWebApp(value)).toBe(expected)
})

/** The directory was read through a descriptor that has gone since. */
function readlinkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

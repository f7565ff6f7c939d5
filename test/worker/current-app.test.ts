import { rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { currentApp, NoCurrentAppError } from '../../src/index.ts'
import { environment, newFolder, startWeb } from '../services/web-process.ts'
import { ROOT, type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { appSetting } from './fixtures/context.ts'

failOnLeftovers()

test('there is no current application in a process that runs no tasks', () => {
  expect(() => currentApp()).toThrow(NoCurrentAppError)
})

describe('in a worker', () => {
  let application: TestApplication

  beforeEach(() => {
    application = testApplication()
  })

  afterEach(() => application.close())

  test.each([
    './test/worker/fixtures/web-app.ts:app',
    './test/worker/fixtures/web-app',
    'test.worker.fixtures.web-app:app',
  ])('the current application is the one that %s names', async (app) => {
    await application.startWorker({ app })

    expect(await application.celery.submit(appSetting).result()).toBe('from web-app')
  })

  test('a task without any application is told how to name one', async () => {
    await application.startWorker()

    const error = await (await application.celery.submit(appSetting)).exception()

    expect(error).toBeInstanceOf(NoCurrentAppError)
    expect(error?.message).toContain('CELERIAC_APP')
  })
})

describe('a module that listens on a port when it is imported', () => {
  let application: TestApplication
  let taken: Server

  beforeAll(async () => {
    taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    process.env['TEST_PORT'] = String((taken.address() as { port: number }).port)
    application = testApplication()
    await application.startWorker({ concurrency: 2 })
  })

  afterAll(async () => {
    delete process.env['TEST_PORT']
    await application.close()
    await new Promise((resolve) => taken.close(resolve))
  })

  test('never finds it taken in the processes that run its tasks', async () => {
    const pool = await application.celery.map({ listens: await listensByName() }.listens, [], [], [])

    expect(await pool.result()).toEqual([true, true, true])
  })

  /** Not imported at the top: here it would listen, and find the port taken. */
  async function listensByName(): Promise<() => Promise<boolean>> {
    process.env['TEST_PORT'] = '0'
    const { app, listens } = await import('./fixtures/web-app.ts')
    await app.close()
    return listens
  }
})

describe('started by a web process', () => {
  let folder: string

  beforeEach(() => {
    folder = newFolder()
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('tasks find the application in the main script that guards its start', async () => {
    const web = startWeb([`${ROOT}test/worker/fixtures/main-guarded.ts`], environment(folder))

    const [, settings = ''] = await web.says(/^settings (.*)$/m)

    expect(JSON.parse(settings)).toEqual(['from the main script', 'from the main script'])
    expect(await web.ended).toEqual({ code: 0, signal: null })
  })

  test('tasks find the application that CELERIAC_APP names', async () => {
    const app = './test/worker/fixtures/web-app.ts:app'

    const web = startWeb([`${ROOT}test/worker/fixtures/main-unguarded.ts`], environment(folder, { CELERIAC_APP: app }))

    expect(await web.says(/^answer (.*)$/m)).toMatchObject({ 1: '"from web-app"' })
    expect(await web.ended).toEqual({ code: 0, signal: null })
  })

  test('tasks find none when the main script does not guard its start', async () => {
    const web = startWeb([`${ROOT}test/worker/fixtures/main-unguarded.ts`], environment(folder))

    expect(await web.says(/^answer (.*)$/m)).toMatchObject({ 1: expect.stringContaining('NoCurrentAppError') as string })
    expect(await web.ended).toEqual({ code: 0, signal: null })
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

import { ROOT, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { within } from '../support/within.ts'
import { storeUrl } from '../support/store.ts'
import * as tasks from './fixtures/tasks.ts'

const WORKER = fileURLToPath(new URL('fixtures/worker-process.ts', import.meta.url))

failOnLeftovers()

test('a task that prints does not fail because nobody reads any more', async () => {
  const application = testApplication()
  const url = storeUrl(application.folder)
  const worker = spawn(process.execPath, [WORKER, url, ROOT, application.keyFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await within(once(worker.stdout, 'data'), 'the worker to be ready', 10_000)
    worker.stdout.destroy()

    for (const text of ['once', 'twice']) expect(await application.celery.submit(tasks.printThenWait, text).result({ timeout: 10 })).toBe(text)
  } finally {
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    await application.close()
  }
})

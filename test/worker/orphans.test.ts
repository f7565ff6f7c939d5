import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

import { ROOT, testApplication } from '../support/application.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import { within } from '../support/within.ts'
import { storeUrl } from '../support/store.ts'
import * as tasks from './fixtures/tasks.ts'

const WORKER = fileURLToPath(new URL('fixtures/worker-process.ts', import.meta.url))

failOnLeftovers()

test('a busy loop does not outlive a worker that is killed', async () => {
  const application = testApplication()
  try {
    const url = storeUrl(application.folder)
    const worker = spawn(process.execPath, [WORKER, url, ROOT, application.keyFile], { stdio: ['ignore', 'pipe', 'inherit'] })
    await within(once(worker.stdout, 'data'), 'the worker to be ready', 10_000)
    const future = await application.celery.submit(tasks.spin)
    await untilState(future, 'STARTED')
    expect(leftovers()).toHaveLength(2)

    worker.kill('SIGKILL')
    await once(worker, 'exit')

    await expect.poll(leftovers, { timeout: 5_000 }).toEqual([])
  } finally {
    await application.close()
  }
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Future } from '../../src/index.ts'
import { fidelity, sameValue } from '../graph/fidelity.ts'
import { type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { reportUntil } from './fixtures/context.ts'
import { echo } from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication

beforeAll(async () => {
  application = testApplication()
  await application.startWorker({ pool: 'async', concurrency: 4 })
})

afterAll(() => application.close())

const ROWS = fidelity.map((row) => [row.title, row] as const)

describe('a value comes to a worker and back as it was, or is refused with its path', () => {
  test.each(ROWS)('%s, as an argument and as a result', async (_title, { value, check = sameValue, refusedAsResult }) => {
    const sent = value()

    const outcome = application.celery.submit(echo, [sent]).result()

    if (refusedAsResult !== undefined) return expect(outcome).rejects.toMatchObject({ name: 'EncodeError', message: expect.stringMatching(refusedAsResult) as string })
    const [came] = (await outcome) as [unknown]
    expect(check(came, sent)).toBe(true)
  })

  test.each(ROWS)('%s, captured', async (_title, { value, check = sameValue, refusedAsResult }) => {
    const captured = value()

    const outcome = application.celery.submit(() => [captured]).result()

    if (refusedAsResult !== undefined) return expect(outcome).rejects.toMatchObject({ name: 'EncodeError', message: expect.stringMatching(refusedAsResult) as string })
    const [came] = await outcome
    expect(check(came, captured)).toBe(true)
  })

  test.each(ROWS)('%s, as progress', async (title, { value, check = sameValue, refusedAsResult }) => {
    const sent = value()
    const go = join(application.folder, `go-${title.replaceAll(/\W/g, '-')}`)

    const future = await application.celery.submit(reportUntil, { sent }, go)

    if (refusedAsResult !== undefined) return expect(future.result()).rejects.toMatchObject({ name: 'EncodeError', path: expect.stringMatching(/^meta\.sent/) as string })
    const seen = await firstProgress(future)
    writeFileSync(go, '')
    expect(await future.result()).toBe(go)
    expect(check((seen as { sent: unknown }).sent, sent)).toBe(true)
  })
})

async function firstProgress(future: Future<unknown>): Promise<unknown> {
  for await (const { state, info } of future.progress({ timeout: 10 })) if (state === 'PROGRESS') return info
  return expect.unreachable('The task ended without progress')
}

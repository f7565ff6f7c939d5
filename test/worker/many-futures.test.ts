import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'

import { environment, newFolder, startWeb } from '../services/web-process.ts'
import { ROOT } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'

const COUNT = 10_000

failOnLeftovers()

test('ten thousand awaited futures leave no timer, listener or handle behind, and the process ends by itself', { timeout: 90_000 }, async () => {
  const folder = newFolder()
  const web = startWeb([`${ROOT}test/worker/fixtures/many-futures.ts`], environment(folder))

  const [, text = ''] = await web.says(/^held (.*)$/m, 80_000)

  const { before, ...report } = JSON.parse(text) as Record<string, unknown>
  expect(report).toEqual({
    sum: (COUNT * (COUNT - 1)) / 2 + COUNT,
    pooled: COUNT,
    called: COUNT,
    completed: COUNT,
    warnings: [],
    abortListeners: 0,
    after: before,
  })
  expect(await web.ended).toEqual({ code: 0, signal: null })
  rmSync(folder, { recursive: true, force: true })
})

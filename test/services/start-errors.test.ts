import { expect, test } from 'vitest'

import { startFailed } from '../../src/services/start-errors.ts'
import { planOf } from './support.ts'

const INTRODUCTION = 'Worker "a@h" exited with code 1, before it was ready. Its log /logs/a@h.log ends with:\n'

test('repeats the last lines of the log that say something, shortened, and keeps all of it', () => {
  const noise = Array.from({ length: 30 }, (_, index) => `line ${index}\n    at frame (file:///x.js:${index})\n`).join('')
  const log = `${noise}${'x'.repeat(5000)}\nNode.js v24.1.0`

  const error = startFailed(planOf('a@h'), { detail: 'exited with code 1', log })

  const lines = Array.from({ length: 9 }, (_, index) => `line ${index + 21}`)
  expect(error.message).toBe(INTRODUCTION + [...lines, `${'x'.repeat(300)}…`].join('\n'))
  expect(error.log).toBe(log)
})

test('shows what a structured entry says', () => {
  const entries = [{ level: 30, msg: 'Loading' }, { level: 50, err: { message: 'no such file', stack: 'Error: …' }, msg: 'Worker "a@h" could not start' }, { level: 30 }]
  const log = ['{ not JSON', ...entries.map((entry) => JSON.stringify(entry))].join('\n')

  const { message } = startFailed(planOf('a@h'), { detail: 'exited with code 1', log })

  expect(message).toBe(`${INTRODUCTION}{ not JSON\nLoading\nWorker "a@h" could not start: no such file\n{"level":30}`)
})

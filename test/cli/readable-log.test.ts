import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'

import { readableLine } from '../../src/cli/readable-log.ts'
import { createLogger } from '../../src/internal/logger.ts'

test('an entry of the log is a line for people, with the stack of its error below', () => {
  const lines: string[] = []
  const logger = createLogger('info', { write: (line) => lines.push(readableLine(line.trimEnd())) })

  logger.warn({ queue: 'celery' }, 'It is late')
  logger.error({ err: Object.assign(new Error('no'), { stack: 'Error: no\n    at here' }) }, 'It failed')
  logger.error({ traceback: 'Error: away\n    at there' }, 'A task raised it')

  expect(lines.map((line) => stripVTControlCharacters(line).replace(/^[\d:.]{12} /, ''))).toEqual([
    'WARNING It is late',
    'ERROR It failed\nError: no\n    at here',
    'ERROR A task raised it\nError: away\n    at there',
  ])
})

test.each(['what a task printed', '{"level":30}', '{broken', '{"level":30,"time":"never","msg":"x"}'])('%j stays as it is', (line) => {
  expect(readableLine(line)).toBe(line)
})

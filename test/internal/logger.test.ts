import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

import { createLogger } from '../../src/internal/logger.ts'

const folder = mkdtempSync(join(tmpdir(), 'logger-'))

afterAll(() => rmSync(folder, { recursive: true }))

test('appends whole lines to a file, which it makes with its folder', () => {
  const path = join(folder, 'new', 'worker.log')

  createLogger('info', path).info({ task: 'a' }, 'x'.repeat(100_000))
  createLogger('info', path).warn({}, 'second')
  createLogger('error', path).info({}, 'not said')

  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as { msg: string })
  expect(lines.map(({ msg }) => msg.length)).toEqual([100_000, 6])
})

test('loses lines rather than throw where the disk is full', () => {
  const logger = createLogger('info', '/dev/full')

  expect(() => logger.error({ err: new Error('x') }, 'lost')).not.toThrow()
})

test('says where it cannot write at all', () => {
  expect(() => createLogger('info', join(import.meta.filename, 'worker.log'))).toThrow(/EEXIST|ENOTDIR/)
})

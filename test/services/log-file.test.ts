import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { logTail, openLog } from '../../src/services/log-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'log-file-'))

afterAll(() => rmSync(folder, { recursive: true }))

describe('openLog', () => {
  test('creates folder and file for this user only, and keeps git out of .celeriac', () => {
    const path = join(folder, '.celeriac', 'a.log')

    closeSync(openLog(path).fd)

    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, '.celeriac')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(folder, '.celeriac', '.gitignore'), 'utf8')).toBe('*\n')
  })

  test('appends, and says where the new part begins', () => {
    const path = join(folder, 'b.log')
    writeFileSync(path, 'old\n')

    const { fd, from } = openLog(path)
    writeSync(fd, 'new\n')
    closeSync(fd)

    expect(readFileSync(path, 'utf8')).toBe('old\nnew\n')
    expect(logTail(path, from)).toBe('new')
  })
})

describe('logTail', () => {
  test('gives the last lines only', () => {
    const path = join(folder, 'c.log')
    writeFileSync(path, Array.from({ length: 10_000 }, (_, line) => `line ${line}\n`).join(''))

    const lines = logTail(path).split('\n')

    expect(lines).toHaveLength(20)
    expect(lines.at(-1)).toBe('line 9999')
  })

  test('gives all of a file that was rotated meanwhile', () => {
    const path = join(folder, 'd.log')
    writeFileSync(path, 'fresh\n')

    expect(logTail(path, 1_000)).toBe('fresh')
  })

  test('is empty where there is nothing to read', () => {
    expect(logTail(join(folder, 'none.log'))).toBe('')
  })
})

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'

import { claimPidfile } from '../../src/services/pidfile.ts'

const folder = mkdtempSync(join(tmpdir(), 'pidfile-'))

afterAll(() => rmSync(folder, { recursive: true }))

describe('claimPidfile', () => {
  test('writes the process id, creating the folder, and removes it', () => {
    const path = join(folder, 'new', 'a.pid')

    const release = claimPidfile(path)

    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
    release()
    expect(existsSync(path)).toBe(false)
  })

  test.each(['', 'garbage', `${spawnSync('true').pid}`])('replaces a stale file holding "%s"', (content) => {
    const path = join(folder, 'stale.pid')
    writeFileSync(path, content)

    const release = claimPidfile(path)

    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
    release()
  })

  test('refuses a file that a living process owns', () => {
    const path = join(folder, 'owned.pid')
    writeFileSync(path, `${process.ppid}\n`)

    expect(() => claimPidfile(path)).toThrow(`belongs to a running process (${process.ppid})`)
    expect(readFileSync(path, 'utf8')).toBe(`${process.ppid}\n`)
  })

  test('leaves a stale file alone that another process has replaced in the same moment', () => {
    const path = join(folder, 'contended.pid')
    writeFileSync(path, '4194304999\n')
    // Looking whether the owner lives is the last thing before the file is removed.
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      writeFileSync(path, `${process.ppid}\n`)
      throw Object.assign(new Error('no such process'), { code: 'ESRCH' })
    })

    expect(() => claimPidfile(path)).toThrow(`belongs to a running process (${process.ppid})`)
    kill.mockRestore()
    expect(readFileSync(path, 'utf8')).toBe(`${process.ppid}\n`)
  })

  test('does not remove a file that was taken over', () => {
    const path = join(folder, 'taken.pid')
    const release = claimPidfile(path)
    writeFileSync(path, '1\n')

    release()

    expect(existsSync(path)).toBe(true)
  })
})

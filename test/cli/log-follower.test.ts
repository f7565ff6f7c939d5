import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'

import { LogFollower } from '../../src/cli/log-follower.ts'
import { ManualClock } from '../support/manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'log-follower-'))
const path = join(folder, 'worker.log')
let lines: string[]
let clock: ManualClock

beforeEach(() => {
  lines = []
  clock = new ManualClock()
  rmSync(path, { force: true })
})

afterAll(() => rmSync(folder, { recursive: true }))

function follow(): LogFollower {
  const follower = new LogFollower({ path, clock, onLine: (line) => lines.push(line) })
  follower.start()
  return follower
}

describe('LogFollower', () => {
  test('hands over whole lines that are appended after it was made', () => {
    writeFileSync(path, 'old\n')
    follow()

    appendFileSync(path, 'one\ntw')
    clock.advance(100)
    appendFileSync(path, 'o\n')
    clock.advance(100)

    expect(lines).toEqual(['one', 'two'])
  })

  test('waits for a file that does not exist yet', () => {
    follow()

    writeFileSync(path, 'first\n')
    clock.advance(100)

    expect(lines).toEqual(['first'])
  })

  test('begins anew when the file was cut', () => {
    writeFileSync(path, 'a long line of the past\n')
    follow()

    writeFileSync(path, 'new\n')
    clock.advance(100)

    expect(lines).toEqual(['new'])
  })

  test('hands over the rest when it is stopped, and nothing after that', () => {
    const follower = follow()

    writeFileSync(path, 'one\nunfinished')
    follower.stop()
    appendFileSync(path, '\nlater\n')
    clock.advance(1000)

    expect(lines).toEqual(['one', 'unfinished'])
  })
})

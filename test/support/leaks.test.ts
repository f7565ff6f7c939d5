import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { failOnLeftovers, leftovers } from './leaks.ts'
import { runVitest } from './nested-vitest.ts'

failOnLeftovers()

const reason = existsSync('/proc/self/stat') ? undefined : ' (skipped: needs /proc)'
const LEAKS = JSON.stringify(join(import.meta.dirname, 'leaks.ts'))
/** Starts a child of its own, says so, and ends with it once standard input does. */
const FAMILY = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'process.stdin.resume()'])
  child.once('spawn', () => console.log('up'))
  process.stdin.resume().once('end', () => child.stdin.end())`

test.skipIf(reason)(`sees a child and its child until both have ended${reason ?? ''}`, async () => {
  const child = spawn(process.execPath, ['-e', FAMILY], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')

  const during = leftovers()
  child.stdin.end()
  await once(child, 'exit')
  const after = leftovers()

  expect(during.map(({ pid }) => pid)).toContain(child.pid)
  expect(during).toHaveLength(2)
  expect(during[0]?.command).toContain(process.execPath)
  expect(after).toEqual([])
})

test.skipIf(reason)(`sees a process whose parent has gone${reason ?? ''}`, async () => {
  const orphaning = `const child = require('node:child_process').spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
    child.once('spawn', () => (console.log(child.pid), process.exit()))`
  const parent = spawn(process.execPath, ['-e', orphaning], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(said)
  await once(parent, 'exit')

  expect(leftovers()).toEqual([{ pid, command: 'sleep 600' }])

  process.kill(pid, 'SIGKILL')
  await expect.poll(leftovers).toEqual([])
})

test.skipIf(reason)(`fails a file that leaves a process behind, and kills the process${reason ?? ''}`, () => {
  const { status, output } = runVitest({
    'leaking.test.ts': `
      import { spawn } from 'node:child_process'
      import { test } from 'vitest'
      import { failOnLeftovers } from ${LEAKS}
      failOnLeftovers()
      test('starts a process', () => void spawn('sleep', ['600'], { stdio: 'ignore' }))`,
  })

  expect(status).toBe(1)
  const pid = Number(/found after 3000 ms:\n\s*(\d+) sleep 600/.exec(output)?.[1])
  expect(pid).toBeGreaterThan(0)
  expect(existsSync(`/proc/${pid}`)).toBe(false)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isGone, startTimeOf, thisProcess } from '../../src/internal/process-identity.ts'

test('knows itself', () => {
  const { pid, started, machine } = thisProcess()

  expect(pid).toBe(process.pid)
  expect(machine).not.toBe('')
  expect(isGone(pid, started)).toBe(false)
})

test.runIf(process.platform === 'linux')('sees a process go, and a later one of the same pid for another', async () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const started = startTimeOf(pid)

  expect(isGone(pid, started)).toBe(false)
  expect(isGone(pid, '1')).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')

  expect(isGone(pid, started)).toBe(true)
  expect(startTimeOf(pid)).toBeNull()
})

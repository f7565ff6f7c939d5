import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { isDead, running } from '../../src/internal/liveness.ts'
import { isLost, type ProcessIdentity, startTimeOf, thisProcess } from '../../src/internal/process-identity.ts'

test('a consumer of a living process is dead when its lease ran out, and not before', () => {
  expect(isDead('theirs', thisProcess(), false)).toBe(false)
  expect(isDead('theirs', thisProcess(), true)).toBe(true)
})

test('a consumer whose process is gone from this machine is dead, whatever its lease says', async () => {
  expect(isDead('theirs', await goneProcess(), false)).toBe(true)
})

test('a process of another machine is not lost, so that only the lease of its consumer counts', async () => {
  const elsewhere = { ...(await goneProcess()), machine: 'another' }

  expect(isLost(elsewhere)).toBe(false)
  expect(isDead('theirs', elsewhere, false)).toBe(false)
  expect(isDead('theirs', elsewhere, true)).toBe(true)
})

test('a consumer that runs here is alive though its lease ran out, until it has ended', () => {
  onTestFinished(() => void running.delete('ours'))

  running.add('ours')
  expect(isDead('ours', thisProcess(), true)).toBe(false)

  running.delete('ours')
  expect(isDead('ours', thisProcess(), true)).toBe(true)
})

/** A process of this machine that has ended. */
async function goneProcess(): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const gone = { ...thisProcess(), pid, started: startTimeOf(pid) }
  child.kill('SIGKILL')
  await once(child, 'exit')
  return gone
}

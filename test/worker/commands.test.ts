import { expect, test } from 'vitest'

import type { Command } from '../../src/control/mailbox.ts'
import type { Pool } from '../../src/pool.ts'
import { runCommand } from '../../src/worker/commands.ts'
import { RevokedTasks } from '../../src/worker/revoked.ts'
import { ManualClock } from '../support/manual-clock.ts'

const HOUR_MS = 3_600_000

function command(method: string, args: Record<string, unknown> = {}): Command {
  return { method, arguments: args, destination: null, replyTo: undefined }
}

/** A worker that runs the tasks named, and says what it was told to end. */
function worker(...running: string[]): { pool: Pool; revoked: RevokedTasks; refused: ReadonlyMap<string, number>; ended: [string, number][]; clock: ManualClock } {
  const ended: [string, number][] = []
  const clock = new ManualClock()
  const terminate = (id: string, graceMs: number): boolean => {
    if (!running.includes(id)) return false
    ended.push([id, graceMs])
    return true
  }
  return { pool: { terminate, withdraw: (id: string): boolean => id === 'not begun' } as unknown as Pool, revoked: new RevokedTasks(clock), refused: new Map([['unsigned', 2]]), ended, clock }
}

test('ping is answered with pong, and an unknown command with an error', async () => {
  expect(await runCommand(command('ping'), worker())).toEqual({ ok: 'pong' })
  expect(await runCommand(command('dance'), worker())).toEqual({ error: 'Unknown control command dance' })
})

test('stats count what was refused', async () => {
  expect(await runCommand(command('stats'), worker())).toEqual({ pid: process.pid, refused: { unsigned: 2 } })
})

test('revoke keeps the ids, one or many', async () => {
  const at = worker()

  expect(await runCommand(command('revoke', { task_id: 'a' }), at)).toMatchObject({ ok: expect.stringContaining('a') as string })
  await runCommand(command('revoke', { task_id: ['b', 5, 'c'] }), at)

  expect(['a', 'b', 'c', 'd'].map((id) => at.revoked.has(id))).toEqual([true, true, true, false])
})

test('revoke ends a running task only when it is told to terminate, at once with SIGKILL', async () => {
  const at = worker('a', 'b')

  await runCommand(command('revoke', { task_id: 'a', terminate: false }), at)
  expect(at.ended).toEqual([])

  await runCommand(command('revoke', { task_id: ['a', 'waiting'], terminate: true, signal: 'SIGTERM' }), at)
  await runCommand(command('revoke', { task_id: 'b', terminate: true, signal: 'SIGKILL' }), at)
  expect(at.ended).toEqual([['a', 250], ['b', 0]])
  expect(at.revoked.has('waiting')).toBe(true)
})

test('ids are forgotten after three hours, and the oldest when there are too many', async () => {
  const { clock, revoked } = worker()
  revoked.add('old')
  clock.advance(2 * HOUR_MS)
  revoked.add('newer')
  clock.advance(HOUR_MS + 1)

  expect([revoked.has('old'), revoked.has('newer')]).toEqual([false, true])

  for (let each = 0; each < 50_000; each++) revoked.add(`id ${each}`)
  expect([revoked.has('newer'), revoked.has('id 0'), revoked.has('id 49999')]).toEqual([false, true, true])
})

test('revoke takes back a task that the pool has not begun, without keeping its id', async () => {
  const at = worker()

  await runCommand(command('revoke', { task_id: 'not begun', terminate: false }), at)

  expect(at.ended).toEqual([])
  expect(at.revoked.has('not begun')).toBe(false)
})

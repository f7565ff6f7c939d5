import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { dirname, join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Checkpoints } from '../../../src/internal/sqlite/checkpoints.ts'
import { turn, within } from '../../support/within.ts'
import { temporaryFolder } from './fixture.ts'

test('makes another thread after one that died, and closes', async () => {
  const path = join(temporaryFolder(), 'late', 'q.db')
  const checkpoints = new Checkpoints(path)
  await workUntilThreadDies(checkpoints)
  mkdirSync(dirname(path))
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(1000000))')
  const size = statSync(path).size

  await expect.poll(() => (work(checkpoints), statSync(path).size), { message: 'the log to be moved', timeout: 10_000 }).toBeGreaterThan(size)

  await within(checkpoints.close(), 'the checkpoints to close')
  database.close()
})

test('closes when its thread died', async () => {
  const path = join(temporaryFolder(), 'never', 'q.db')
  const checkpoints = new Checkpoints(path)

  await workUntilThreadDies(checkpoints)
  work(checkpoints)
  await turn()

  await within(checkpoints.close(), 'the checkpoints to close')
  expect(existsSync(path)).toBe(false)
})

/** A thread that cannot open the database ends at once. */
async function workUntilThreadDies(checkpoints: Checkpoints): Promise<void> {
  const made = once(process, 'worker') as Promise<[Worker]>
  work(checkpoints)
  const [thread] = await within(made, 'a thread')
  await within(new Promise((resolve) => thread.once('exit', resolve)), 'the thread to die')
}

/** As much as is done between two moves. */
function work(checkpoints: Checkpoints): void {
  for (let commit = 0; commit < 16; commit += 1) checkpoints.afterCommit(5000)
}

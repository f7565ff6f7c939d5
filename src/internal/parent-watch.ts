import { Worker as Thread } from 'node:worker_threads'

const LOOK_MS = 1_000

const WATCH = `
const { workerData: { parent, pid, lookMs, graceMs } } = require('node:worker_threads')
const looking = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(looking)
  setTimeout(() => {
    try { process.kill(-pid, 'SIGKILL') } catch { process.kill(pid, 'SIGKILL') }
  }, graceMs)
}, lookMs)
`

/**
 * Ends this process, with its group if it leads one, about `graceMs` after its parent, even when a task
 * blocks its event loop, which then never sees the channel close.
 *
 * The thread costs some 10 MB, so it is for processes that run tasks.
 */
export function watchParentFromThread(graceMs: number): void {
  const workerData = { parent: process.ppid, pid: process.pid, lookMs: LOOK_MS, graceMs: Math.max(0, graceMs - LOOK_MS) }
  try {
    new Thread(WATCH, { eval: true, execArgv: [], env: {}, workerData }).unref()
  } catch (error) {
    // Under `--permission`, unless threads are allowed: then only a process that a task does not block sees the channel close.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw error
  }
}

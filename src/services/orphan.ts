import { Worker as Thread } from 'node:worker_threads'

/** Ends this process and every process of its group, tasks in busy loops included, at once. */
export function killOwnGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    // It leads no group (or this is Windows): then it is alone.
    process.kill(process.pid, 'SIGKILL')
  }
}

const LOOK_MS = 500

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
 * Ends this process about `graceMs` after its parent, even when a task blocks its event loop, which then
 * never sees the channel close. Only the pool `solo` runs tasks there.
 */
export function watchParentFromThread(graceMs: number): void {
  const workerData = { parent: process.ppid, pid: process.pid, lookMs: LOOK_MS, graceMs: graceMs - LOOK_MS }
  const thread = new Thread(WATCH, { eval: true, execArgv: [], workerData })
  thread.unref()
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** As many as our own workers hold for each slot while tasks are quick. */
const HELD_PER_SLOT = 8

/** Starts the bare worker and resolves when it is consuming. */
export async function startBareWorker(redisPort: number, concurrency: number): Promise<ChildProcess> {
  const worker = fork(fileURLToPath(new URL('sides/bare-worker.ts', import.meta.url)), [JSON.stringify({ redisPort, prefetch: HELD_PER_SLOT * concurrency })])
  await once(worker, 'message')
  return worker
}

/** Ends it and waits for it. */
export async function stopBareWorker(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  await ended
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ConnectionOptions, Queue } from 'bullmq'

/** The one queue that is measured. */
export const QUEUE = 'bench'

/** Connection options as BullMQ's guide gives them: it makes its own clients from them, with ioredis. */
export function connectionTo(redisPort: number): ConnectionOptions {
  return { host: '127.0.0.1', port: redisPort }
}

/** A connected queue. */
export async function openQueue(redisPort: number): Promise<Queue> {
  const queue = new Queue(QUEUE, { connection: connectionTo(redisPort) })
  await queue.waitUntilReady()
  return queue
}

/** Starts a worker in a process of its own and resolves when it is connected and consuming. */
export async function startBullWorker(redisPort: number, concurrency: number): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('sides/bullmq-worker.ts', import.meta.url))
  const worker = fork(file, [JSON.stringify({ redisPort, concurrency })])
  const ended = once(worker, 'exit').then(([code]) => {
    throw new Error(`BullMQ's worker ended with code ${code} before it was ready.`)
  })
  await Promise.race([once(worker, 'message'), ended])
  // From here on its end is expected; the race above leaves the promise behind.
  ended.catch(() => {})
  return worker
}

/** Ends the worker's process and waits for it. */
export async function stopBullWorker(worker: ChildProcess): Promise<void> {
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  await ended
}

/** Whether no job waits and none is out with a worker. */
export async function isDrained(queue: Queue): Promise<boolean> {
  return (await queue.getJobCountByTypes('waiting', 'active')) === 0
}

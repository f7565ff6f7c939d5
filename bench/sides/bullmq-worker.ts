import { Worker } from 'bullmq'
import { QUEUE, connectionTo } from '../bullmq.ts'
import { add } from '../tasks.ts'

const { redisPort, concurrency } = JSON.parse(process.argv[2] ?? '{}') as { redisPort: number; concurrency: number }

const worker = new Worker<{ x: number; y: number }, number>(QUEUE, async (job) => add(job.data.x, job.data.y), {
  connection: connectionTo(redisPort),
  concurrency,
})
process.once('SIGTERM', () => void worker.close().finally(() => process.exit(0)))
await worker.waitUntilReady()
process.send?.('ready')

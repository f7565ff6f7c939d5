import { QueueEvents } from 'bullmq'
import { QUEUE, connectionTo, openQueue, startBullWorker, stopBullWorker } from '../bullmq.ts'
import { roundTripFigures } from '../round-trip-figures.ts'
import { runAsSide } from '../side.ts'

await runAsSide(async ({ redisPort, concurrency }) => {
  const worker = await startBullWorker(redisPort, concurrency)
  const queue = await openQueue(redisPort)
  const events = new QueueEvents(QUEUE, { connection: connectionTo(redisPort) })
  await events.waitUntilReady()

  const figures = await roundTripFigures(async (i) => {
    const job = await queue.add('add', { x: i, y: 1 })
    return (await job.waitUntilFinished(events)) as unknown
  })

  await events.close()
  await queue.close()
  await stopBullWorker(worker)
  return figures
})

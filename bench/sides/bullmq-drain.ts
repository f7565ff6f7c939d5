import { isDrained, openQueue, startBullWorker, stopBullWorker } from '../bullmq.ts'
import { drainFigures } from '../drain-figures.ts'
import { runAsSide, submitMany } from '../side.ts'

await runAsSide(async ({ tasks, redisPort, concurrency }) => {
  const worker = await startBullWorker(redisPort, concurrency)
  const queue = await openQueue(redisPort)

  const figures = await drainFigures(tasks, {
    fill: (count) => submitMany(count, 2_000, (i) => queue.add('add', { x: i, y: 1 })),
    isDrained: () => isDrained(queue),
    workerPids: () => (worker.pid === undefined ? [] : [worker.pid]),
  })

  const failed = await queue.getFailedCount()
  if (failed > 0) throw new Error(`Every job was expected to succeed; ${failed} failed.`)
  await queue.close()
  await stopBullWorker(worker)
  return figures
})

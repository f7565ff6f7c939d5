import { openQueue } from '../bullmq.ts'
import { enqueueFigures } from '../enqueue-figures.ts'
import { runAsSide } from '../side.ts'

await runAsSide(async ({ tasks, redisPort }) => {
  const queue = await openQueue(redisPort)
  const figures = await enqueueFigures(tasks, (i) => queue.add('add', { x: i, y: 1 }))
  await queue.close()
  return figures
})

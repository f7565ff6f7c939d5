import { openCelery } from '../celeriac.ts'
import { enqueueFigures } from '../enqueue-figures.ts'
import { runAsSide } from '../side.ts'
import { add } from '../tasks.ts'

await runAsSide(async ({ tasks, folder, concurrency }) => {
  const celery = await openCelery({ folder, concurrency })
  const figures = await enqueueFigures(tasks, (i) => celery.submit(add, i, 1))
  await celery.close()
  return figures
})

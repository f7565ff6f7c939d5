import { openCelery } from '../celeriac.ts'
import { enqueueFigures } from '../enqueue-figures.ts'
import { runAsSide } from '../side.ts'
import { add } from '../tasks.ts'

await runAsSide(async (input) => {
  const celery = await openCelery(input)
  const figures = await enqueueFigures(input.tasks, (i) => celery.submit(add, i, 1))
  await celery.close()
  return figures
})

import { openCelery } from '../celeriac.ts'
import { runAsSide, submitMany } from '../side.ts'
import { add } from '../tasks.ts'

/** Only fills the queue, so that what a million promises leave in memory ends with this process. */
await runAsSide(async (input) => {
  const celery = await openCelery(input)
  await submitMany(input.tasks, 2_000, (i) => celery.submit(add, i, 1))
  await celery.close()
  return {}
})

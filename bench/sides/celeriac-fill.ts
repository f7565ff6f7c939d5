import { openCelery } from '../celeriac.ts'
import { runAsSide, submitMany } from '../side.ts'
import { add } from '../tasks.ts'

/** Only fills the queue, so that what a million promises leave in memory ends with this process. */
await runAsSide(async ({ tasks, folder, concurrency }) => {
  const celery = await openCelery({ folder, concurrency })
  await submitMany(tasks, 2_000, (i) => celery.submit(add, i, 1))
  await celery.close()
  return {}
})

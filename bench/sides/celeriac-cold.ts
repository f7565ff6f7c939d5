import { openCelery } from '../celeriac.ts'
import { runAsSide, timed } from '../side.ts'
import { add } from '../tasks.ts'

await runAsSide(async (input) => {
  const celery = await openCelery({ ...input, autoStart: true })
  const firstResultMs = await timed(() => celery.submit(add, 1, 1).result({ timeout: 30 }))
  // Node counts from the start of the process.
  const sinceProcessStartMs = performance.now()
  await celery.stop()
  await celery.close()
  return { firstResultMs, sinceProcessStartMs }
})

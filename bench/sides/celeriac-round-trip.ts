import { openCelery } from '../celeriac.ts'
import { roundTripFigures } from '../round-trip-figures.ts'
import { runAsSide } from '../side.ts'
import { add } from '../tasks.ts'

await runAsSide(async (input) => {
  const celery = await openCelery(input)
  await celery.start()
  const figures = await roundTripFigures((i) => celery.submit(add, i, 1).result({ timeout: 10 }))
  await celery.stop()
  await celery.close()
  return figures
})

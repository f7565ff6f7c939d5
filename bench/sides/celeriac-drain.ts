import { celeriacDrainFigures } from '../celeriac-drain-figures.ts'
import { openCelery } from '../celeriac.ts'
import { runAsSide } from '../side.ts'

await runAsSide(async (input) => {
  const celery = await openCelery(input)
  await celery.start()
  const figures = await celeriacDrainFigures(celery, input)
  await celery.stop()
  await celery.close()
  return figures
})

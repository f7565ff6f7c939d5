import { startBareWorker, stopBareWorker } from '../bare.ts'
import { celeriacDrainFigures } from '../celeriac-drain-figures.ts'
import { openCelery } from '../celeriac.ts'
import { runAsSide } from '../side.ts'

/** The messages are ours, the worker is not. */
await runAsSide(async (input) => {
  const celery = await openCelery(input)
  const worker = await startBareWorker(input.redisPort, input.concurrency)
  const figures = await celeriacDrainFigures(celery, input)
  await celery.close()
  await stopBareWorker(worker)
  return figures
})

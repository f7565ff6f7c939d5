import { setTimeout as sleep } from 'node:timers/promises'
import { openCelery } from '../celeriac.ts'
import { descendants, processorSeconds, residentBytes } from '../process-tree.ts'
import { runAsSide } from '../side.ts'
import { add } from '../tasks.ts'

const SETTLE_MS = 3_000
const WATCH_MS = 20_000

await runAsSide(async (input) => {
  const celery = await openCelery(input)
  await celery.start()
  await celery.submit(add, 1, 1).result({ timeout: 10 })
  await sleep(SETTLE_MS)

  const workers = descendants(process.pid)
  const appBefore = processorSeconds([process.pid])
  const workersBefore = processorSeconds(workers)
  await sleep(WATCH_MS)
  const appPercent = ((processorSeconds([process.pid]) - appBefore) / WATCH_MS) * 1000 * 100
  const workerPercent = ((processorSeconds(workers) - workersBefore) / WATCH_MS) * 1000 * 100
  const workerMegabytes = residentBytes(workers) / 2 ** 20

  await celery.stop()
  await celery.close()
  return { percent: appPercent + workerPercent, appPercent, workerPercent, workerMegabytes }
})

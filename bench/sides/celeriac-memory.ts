import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openCelery } from '../celeriac.ts'
import { descendants, residentBytes } from '../process-tree.ts'
import { runAsSide, timed } from '../side.ts'
import { median } from '../statistics.ts'
import { watchStore } from '../store-watch.ts'

const FILL = fileURLToPath(new URL('celeriac-fill.ts', import.meta.url))

const TASKS = 500_000
const SAMPLE_MS = 100

/** Tasks run before them: after as many, heaps have found their size also on a slow machine, and all code is compiled. */
const WARM_UP = 500_000

/** The share of all samples that a start and an end are the median of. */
const EDGE_SHARE = 0.1

await runAsSide(async (input) => {
  const celery = await openCelery(input)
  execFileSync(process.execPath, [FILL, JSON.stringify({ ...input, tasks: WARM_UP + TASKS })])
  const store = await watchStore(input)

  await celery.start()
  const workers = descendants(process.pid)
  const samples: number[] = []
  const elapsedMs = await timed(async () => {
    for (let left = WARM_UP + TASKS; left > 0; left = await store.outstanding()) {
      if (left <= TASKS) samples.push(residentBytes(workers) / 2 ** 20)
      await sleep(SAMPLE_MS)
    }
  })

  await store.close()
  await celery.stop()
  await celery.close()
  const edge = Math.ceil(samples.length * EDGE_SHARE)
  const startMegabytes = median(samples.slice(0, edge))
  const endMegabytes = median(samples.slice(-edge))
  const growthMegabytes = endMegabytes - startMegabytes
  return { startMegabytes, endMegabytes, maxMegabytes: Math.max(...samples), growthMegabytes, perSecond: ((WARM_UP + TASKS) / elapsedMs) * 1000 }
})

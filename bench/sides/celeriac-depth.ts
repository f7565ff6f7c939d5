import { openCelery, StoreWatch } from '../celeriac.ts'
import { descendants, residentBytes } from '../process-tree.ts'
import { type Figures, runAsSide, submitMany, timed, until } from '../side.ts'
import { add } from '../tasks.ts'

const SHALLOW = 10_000
const DEEP = 1_000_000

await runAsSide(async ({ tasks, folder, concurrency }) => {
  const celery = await openCelery({ folder, concurrency })
  await submitMany(SHALLOW, 2_000, (i) => celery.submit(add, i, 1))
  const store = new StoreWatch(folder)

  const shallow = await figuresAtThisDepth()
  await submitMany(DEEP - store.outstanding(), 2_000, (i) => celery.submit(add, i, 1))
  const deep = await figuresAtThisDepth()

  store.close()
  await celery.close()
  return {
    ...Object.fromEntries(Object.entries(shallow).map(([name, value]) => [`${name}Shallow`, value])),
    ...Object.fromEntries(Object.entries(deep).map(([name, value]) => [`${name}Deep`, value])),
    enqueueRatio: deep['enqueuePerSecond']! / shallow['enqueuePerSecond']!,
    runRatio: deep['runPerSecond']! / shallow['runPerSecond']!,
    workerGrowthMegabytes: deep['workerMegabytes']! - shallow['workerMegabytes']!,
  }

  /** Adds `tasks` messages, then has a fresh worker take some to get warm and as many again in the time that is measured. */
  async function figuresAtThisDepth(): Promise<Figures> {
    const enqueueMs = await timed(() => submitMany(tasks, 2_000, (i) => celery.submit(add, i, 1)))
    await celery.start()
    const full = store.outstanding()
    await until('the worker to be warm', () => store.outstanding() < full - tasks / 5)
    const before = store.outstanding()
    const runMs = await timed(() => until(`the run of ${tasks} tasks`, () => store.outstanding() <= before - tasks))
    const ran = before - store.outstanding()
    const workerMegabytes = residentBytes(descendants(process.pid)) / 2 ** 20
    await celery.stop()
    return { enqueuePerSecond: (tasks / enqueueMs) * 1000, runPerSecond: (ran / runMs) * 1000, workerMegabytes }
  }
})

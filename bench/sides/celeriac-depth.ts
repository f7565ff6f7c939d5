import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openCelery } from '../celeriac.ts'
import { descendants, processorSeconds, residentBytes } from '../process-tree.ts'
import { type Figures, runAsSide, submitMany, timed, until } from '../side.ts'
import { watchStore } from '../store-watch.ts'
import { add } from '../tasks.ts'

const FILL = fileURLToPath(new URL('celeriac-fill.ts', import.meta.url))

/** How many messages are claimed without being run, and how many of them are out at once. */
const CLAIMS = 10_000
const PREFETCH = 200

const SHALLOW = 10_000
const DEEP = 1_000_000

await runAsSide(async (input) => {
  const { tasks } = input
  const celery = await openCelery(input)
  fill(SHALLOW + CLAIMS)
  const store = await watchStore(input)

  const shallow = await figuresAtThisDepth()
  fill(DEEP + CLAIMS - (await store.outstanding()))
  const deep = await figuresAtThisDepth()

  await store.close()
  await celery.close()
  return {
    ...Object.fromEntries(Object.entries(shallow).map(([name, value]) => [`${name}Shallow`, value])),
    ...Object.fromEntries(Object.entries(deep).map(([name, value]) => [`${name}Deep`, value])),
    claimRatio: deep['claimPerSecond']! / shallow['claimPerSecond']!,
    enqueueRatio: deep['enqueuePerSecond']! / shallow['enqueuePerSecond']!,
    runRatio: deep['runPerSecond']! / shallow['runPerSecond']!,
    workerGrowthMegabytes: deep['workerMegabytes']! - shallow['workerMegabytes']!,
  }

  function fill(count: number): void {
    execFileSync(process.execPath, [FILL, JSON.stringify({ ...input, tasks: count })])
  }

  /** Claims and acknowledges messages, running nothing, and gives back what is left over. */
  async function claimSpeed(): Promise<number> {
    const { broker } = await celery.open()
    const times: number[] = []
    const done = Promise.withResolvers<void>()
    const consumer = await broker.consume({
      queues: ['celery'],
      name: 'bench@claim',
      prefetch: PREFETCH,
      onDeliveries: (deliveries) => {
        for (const delivery of deliveries) void delivery.ack().then(() => times.push(performance.now()) === CLAIMS && done.resolve())
      },
    })
    await done.promise
    await consumer.close()
    // The first fifth gets it warm.
    const from = CLAIMS / 5
    return ((CLAIMS - from) / (times[CLAIMS - 1]! - times[from]!)) * 1000
  }

  /** Adds `tasks` messages, then has a fresh worker take some to get warm and as many again in the time that is measured. */
  async function figuresAtThisDepth(): Promise<Figures> {
    const enqueueMs = await timed(() => submitMany(tasks, 2_000, (i) => celery.submit(add, i, 1)))
    // Filling leaves a log to be moved into the file, and the kernel to write that out: neither belongs to the run.
    await untilIdle()
    execFileSync('sync')
    const claimPerSecond = await claimSpeed()
    await celery.start()
    const full = await store.outstanding()
    await until('the worker to be warm', async () => (await store.outstanding()) < full - tasks / 5)
    const before = await store.outstanding()
    const runMs = await timed(() => until(`the run of ${tasks} tasks`, async () => (await store.outstanding()) <= before - tasks))
    const ran = before - (await store.outstanding())
    const workerMegabytes = residentBytes(descendants(process.pid)) / 2 ** 20
    await celery.stop()
    return { enqueuePerSecond: (tasks / enqueueMs) * 1000, claimPerSecond, runPerSecond: (ran / runMs) * 1000, workerMegabytes }
  }
})

/** Resolves when this process has done next to nothing for half a second, its threads included. */
async function untilIdle(): Promise<void> {
  for (let before = processorSeconds([process.pid]), used = 1; used > 0.02; ) {
    await sleep(500)
    const now = processorSeconds([process.pid])
    used = now - before
    before = now
  }
}

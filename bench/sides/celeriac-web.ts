import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCelery } from '../celeriac.ts'
import { runAsSide, submitMany, until } from '../side.ts'
import { watchStore } from '../store-watch.ts'
import { add } from '../tasks.ts'

/** Long enough that two workers cannot empty the queue while they are watched, but for very fast ones. */
const BACKLOG_FACTOR = 20
const WATCH_MS = 10_000
const TICK_MS = 10
const TASKS_PER_TICK = 5
const RESOLUTION_MS = 1

await runAsSide(async (input) => {
  const { tasks } = input
  const celery = await openCelery({ ...input, workers: 2 })
  const backlog = tasks * BACKLOG_FACTOR
  await submitMany(backlog, 2_000, (i) => celery.submit(add, i, 1))
  await celery.start()
  const store = await watchStore(input)
  await until('the drain at full speed', async () => (await store.outstanding()) < backlog - tasks / 2)

  const submissions: Promise<unknown>[] = []
  const traffic = setInterval(() => {
    for (let i = 0; i < TASKS_PER_TICK; i++) submissions.push(celery.submit(add, i, 1))
  }, TICK_MS)
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const before = await store.outstanding()
  const startMs = performance.now()
  delay.enable()
  // Asked rarely: the watch shares the event loop that is measured.
  while (performance.now() - startMs < WATCH_MS && (await store.outstanding()) > tasks / 2) await sleep(250)
  delay.disable()
  clearInterval(traffic)
  const watchedMs = performance.now() - startMs
  const drained = before - (await store.outstanding()) + submissions.length
  await Promise.all(submissions)

  await store.close()
  await celery.stop()
  await celery.close()
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  return {
    p50Ms: ms(delay.percentile(50)),
    p99Ms: ms(delay.percentile(99)),
    maxMs: ms(delay.max),
    drainedPerSecond: (drained / watchedMs) * 1000,
    watchedMs,
  }
})

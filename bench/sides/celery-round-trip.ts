import { runPython, startCeleryWorker, stopCeleryWorker } from '../celery.ts'
import { ALL_TRIPS, summarise } from '../round-trip-figures.ts'
import { runAsSide } from '../side.ts'

await runAsSide(async ({ redisPort, concurrency }) => {
  const worker = startCeleryWorker(redisPort, concurrency)
  const elapsedMs = JSON.parse(await runPython('round_trip.py', redisPort, ALL_TRIPS)) as number[]
  await stopCeleryWorker(worker)
  return summarise(elapsedMs)
})

import { runPython, startCeleryWorker, stopCeleryWorker } from '../celery.ts'
import { summarise, TRIPS, WARM_UP } from '../round-trip-figures.ts'
import { runAsSide } from '../side.ts'

await runAsSide(async ({ redisPort, concurrency }) => {
  const worker = startCeleryWorker(redisPort, concurrency)
  const elapsedMs = JSON.parse(await runPython('round_trip.py', redisPort, WARM_UP + TRIPS)) as number[]
  await stopCeleryWorker(worker)
  return summarise(elapsedMs)
})

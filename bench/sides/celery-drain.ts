import { runPython, startCeleryWorker, stopCeleryWorker } from '../celery.ts'
import { drainFigures } from '../drain-figures.ts'
import { descendants } from '../process-tree.ts'
import { runAsSide } from '../side.ts'
import { watchStore } from '../store-watch.ts'

/** Celery acknowledges before it runs a task, so the last few tasks may still run when nothing is out. */
await runAsSide(async (input) => {
  const worker = startCeleryWorker(input.redisPort, input.concurrency)
  const store = await watchStore(input)
  const figures = await drainFigures(input.tasks, {
    fill: (count) => runPython('fill.py', input.redisPort, count),
    isDrained: async () => (await store.outstanding()) === 0,
    workerPids: () => descendants(process.pid),
    isOnce: true,
  })
  await store.close()
  await stopCeleryWorker(worker)
  return figures
})

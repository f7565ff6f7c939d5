import { startBareWorker, stopBareWorker } from '../bare.ts'
import { openCelery } from '../celeriac.ts'
import { drainFigures } from '../drain-figures.ts'
import { descendants } from '../process-tree.ts'
import { runAsSide, submitMany } from '../side.ts'
import { watchStore } from '../store-watch.ts'
import { add } from '../tasks.ts'

await runAsSide(async (input) => {
  const { tasks, redisPort, concurrency } = input
  const celery = await openCelery(input)
  const worker = await startBareWorker(redisPort, concurrency)
  const store = await watchStore(input)

  const figures = await drainFigures(tasks, {
    fill: (count) => submitMany(count, 2_000, (i) => celery.submit(add, i, 1)),
    isDrained: async () => (await store.outstanding()) === 0,
    workerPids: () => descendants(process.pid),
  })

  const sum = await celery.submit(add, tasks, 1).result({ timeout: 10 })
  if (sum !== tasks + 1) throw new Error(`add(${tasks}, 1) was expected to give ${tasks + 1}; it gave ${sum}.`)
  await store.close()
  await celery.close()
  await stopBareWorker(worker)
  return figures
})

import { openCelery, StoreWatch } from '../celeriac.ts'
import { drainFigures } from '../drain-figures.ts'
import { descendants } from '../process-tree.ts'
import { runAsSide } from '../side.ts'
import { add } from '../tasks.ts'

await runAsSide(async ({ tasks, folder, concurrency }) => {
  const celery = await openCelery({ folder, concurrency })
  await celery.start()
  const store = new StoreWatch(folder)

  const figures = await drainFigures(tasks, {
    submit: (i) => celery.submit(add, i, 1),
    isDrained: () => store.outstanding() === 0,
    workerPids: descendants(process.pid),
  })

  const sum = await celery.submit(add, tasks, 1).result({ timeout: 10 })
  if (sum !== tasks + 1) throw new Error(`add(${tasks}, 1) was expected to give ${tasks + 1}; it gave ${sum}.`)
  store.close()
  await celery.stop()
  await celery.close()
  return figures
})

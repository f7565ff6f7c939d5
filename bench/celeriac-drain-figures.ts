import type { Celery } from '../src/index.ts'
import { drainFigures } from './drain-figures.ts'
import { descendants } from './process-tree.ts'
import { type Figures, type SideInput, submitMany } from './side.ts'
import { watchStore } from './store-watch.ts'
import { add } from './tasks.ts'

/** Times a drain of what `celery` enqueues by the workers that this process has started, and sees that they really add. */
export async function celeriacDrainFigures(celery: Celery, input: SideInput): Promise<Figures> {
  const { tasks } = input
  const store = await watchStore(input)
  const figures = await drainFigures(tasks, {
    fill: (count) => submitMany(count, 2_000, (i) => celery.submit(add, i, 1)),
    isDrained: async () => (await store.outstanding()) === 0,
    workerPids: () => descendants(process.pid),
  })

  const sum = await celery.submit(add, tasks, 1).result({ timeout: 10 })
  if (sum !== tasks + 1) throw new Error(`add(${tasks}, 1) was expected to give ${tasks + 1}; it gave ${sum}.`)
  await store.close()
  return figures
}

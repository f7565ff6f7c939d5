import { createClient } from 'redis'
import { startBareWorker, stopBareWorker } from '../bare.ts'
import { roundTripFigures } from '../round-trip-figures.ts'
import { runAsSide } from '../side.ts'

/** As long as one of ours. */
const FILLING = 'x'.repeat(800)

await runAsSide(async ({ redisPort, concurrency }) => {
  const worker = await startBareWorker(redisPort, concurrency)
  const client = createClient({ url: `redis://127.0.0.1:${redisPort}/0`, RESP: 3 })
  const subscriber = client.duplicate()
  await Promise.all([client.connect(), subscriber.connect()])

  const figures = await roundTripFigures(async (i) => {
    const id = String(i)
    const channel = `celery-task-meta-${id}`
    const { promise, resolve } = Promise.withResolvers<string>()
    const body = Buffer.from(JSON.stringify([[i, 1], {}, null])).toString('base64')
    void client.lPush('celery', JSON.stringify({ body, headers: { id, task: 'add', filling: FILLING } }))
    await subscriber.subscribe(channel, resolve)
    const { result } = JSON.parse(await promise) as { result: number }
    void subscriber.unsubscribe(channel)
    return result
  })

  await Promise.all([client.close(), subscriber.close()])
  await stopBareWorker(worker)
  return figures
})

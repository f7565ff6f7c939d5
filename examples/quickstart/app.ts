/**
 * Counts the words of an uploaded text file, a chunk of it per task.
 *
 *     node app.ts
 *     curl -F file=@book.txt 127.0.0.1:3000/upload      {"id":"5f0c…","total":31}
 *     curl 127.0.0.1:3000/status/5f0c…                  {"state":"PENDING","done":12,"total":31}
 *     curl 127.0.0.1:3000/result/5f0c…                  {"words":331420,"top":[…],"processes":[…]}
 */
import multipart from '@fastify/multipart'
import { Celery, PoolNotFoundError } from 'celeriac'
import Fastify from 'fastify'

import { chunksOf } from './chunks.ts'
import { summarise } from './summary.ts'
import { type ChunkCount, countWords } from './tasks.ts'

const LARGEST_UPLOAD = 256 * 1024 * 1024

interface ById {
  readonly Params: { readonly id: string }
}

export const app = Fastify()
export const celery = new Celery(app)

app.register(multipart, { limits: { fileSize: LARGEST_UPLOAD, files: 1 } })

app.post('/upload', async (request, reply) => {
  const upload = await request.file()
  if (upload === undefined) return reply.code(400).send({ error: 'Expected a file, found none in the form.' })

  const pool = await celery.map(countWords, chunksOf(upload.file))
  if (upload.file.truncated) {
    await pool.cancel()
    return reply.code(413).send({ error: `Expected at most ${LARGEST_UPLOAD} bytes.` })
  }
  // From here on the id is all that anybody needs: this process may even be started anew.
  await pool.save()
  return reply.code(202).send({ id: pool.id, total: pool.length })
})

app.get<ById>('/status/:id', async ({ params }) => {
  const pool = await celery.getPool<ChunkCount>(params.id).load()
  const state = await pool.state()
  const done = [...pool].filter((future) => future.lastState === 'SUCCESS').length
  return { state, done, total: pool.length }
})

app.get<ById>('/result/:id', async ({ params }, reply) => {
  const pool = celery.getPool<ChunkCount>(params.id)
  if (!(await pool.done())) return reply.code(409).send({ error: 'Not counted yet; see /status.' })
  return summarise(await pool.result())
})

app.get('/processes', () => ({ web: process.pid, workers: celery.processes }))

app.setErrorHandler((error, _request, reply) => {
  return error instanceof PoolNotFoundError ? reply.code(404).send({ error: error.message }) : reply.send(error)
})

// Workers import this file for its tasks; only the process that was started with it serves.
if (import.meta.main) {
  // The first upload would start the workers too, but chunks of an earlier run may wait already.
  await celery.start()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
  const address = await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 3000) })
  console.log(`Listening on ${address}`)
}

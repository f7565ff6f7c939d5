import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'vitest'

import { Celery } from '../../src/index.ts'
import { newFolder, until, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { appendId } from './fixtures/tasks.ts'
import { journalled } from './journal.ts'
import { logLines, ROOT, SECRET, startWorkerProcess } from './worker-process.ts'

const MOST_MS = 5_000
/** More than the worker takes ahead. */
const BACKLOG = 200

/** What the time of another process is counted in. */
const TICK_MS = 10

failOnLeftovers()

describeRedis('a worker', () => {
  test.concurrent.for([
    ['killed', 0.5, true],
    ['killed', 3, true],
    ['killed', 12, true],
    // As long as that a server may sleep.
    ['frozen', 3, false],
    ['frozen', 40, true],
  ] as const)('whose Redis was %s for %s s works again within 5 s of its return, and says so once', { timeout: 90_000 }, async ([how, seconds, isLost], { expect }) => {
    await using app = await start()
    await app.celery.submit(appendId, app.done, 0).result({ timeout: 20 })
    const { broker } = await app.celery.open()
    await expect.poll(() => broker.depth('celery')).toMatchObject({ unacked: 0 })

    const cpuMs = cpuOf(app.worker.pid)
    if (how === 'killed') await app.server.kill()
    else app.server.pause()
    await pause(seconds * 1000)
    const busy = (cpuOf(app.worker.pid) - cpuMs) / (seconds * 1000)
    if (how === 'killed') await app.server.restart()
    else app.server.resume()
    const returnedMs = performance.now()
    const future = await until(() => app.celery.submit(appendId, app.done, 0).catch(() => undefined), () => 'a submit', 10_000)
    await future.result({ timeout: 20 })
    const backMs = performance.now() - returnedMs

    console.log(`${how} for ${seconds} s: a task was done ${Math.round(backMs)} ms after the return, ${(busy * 100).toFixed(1)} % of a core while away`)
    expect(app.said()).toEqual(isLost ? ['The broker is lost', 'The broker is back'] : [])
    expect(backMs).toBeLessThan(MOST_MS)
    if (seconds >= 3) expect(busy).toBeLessThan(0.05)
  })

  test.concurrent('whose Redis was away in the middle of its work goes on within 5 s, and loses nothing', { timeout: 90_000 }, async ({ expect }) => {
    await using app = await start()
    const futures = [...(await app.celery.map(appendId, ...Array.from({ length: BACKLOG }, (): [string, number] => [app.done, 30])))]
    await until(() => journalled(app.done).length >= BACKLOG / 4 || undefined, () => 'a quarter of the tasks')

    await app.server.kill()
    // So long that what was under way has given up waiting for the server, and tries again from time to time.
    await pause(7_000)
    const before = journalled(app.done).length
    await app.server.restart()
    const returnedMs = performance.now()
    await until(() => journalled(app.done).length > before || undefined, () => `a task after the return:\n${app.worker.output()}`)
    const backMs = performance.now() - returnedMs
    await Promise.all(futures.map((future) => future.result({ timeout: 60 })))

    const ran = journalled(app.done)
    console.log(`killed at work for 7 s: the next task was done ${Math.round(backMs)} ms after the return, ${ran.length - BACKLOG} runs repeated`)
    expect(new Set(ran)).toEqual(new Set(futures.map(({ id }) => id)))
    expect(app.said().filter((line) => line.startsWith('The broker is'))).toEqual(['The broker is lost', 'The broker is back'])
    expect(backMs).toBeLessThan(MOST_MS)
  })
})

interface Application extends AsyncDisposable {
  readonly server: RedisServer
  readonly worker: WebProcess
  readonly celery: Celery
  /** The file that tasks write to. */
  readonly done: string
  /** What the worker has logged since it was ready, without the reasons. */
  said(): string[]
}

/** A server, and a worker that is ready. */
async function start(): Promise<Application> {
  const folder = newFolder()
  const server = await RedisServer.start({ appendOnly: true, config: { appendfsync: 'no' } })
  const worker = startWorkerProcess({ folder, url: server.url(), concurrency: 1 })
  const celery = new Celery({ root: ROOT, brokerUrl: server.url(), secretKey: SECRET, startLocalWorkers: false })
  await worker.says(/ ready"/)
  return {
    server,
    worker,
    celery,
    done: join(folder, 'done'),
    said: () => logLines(worker.output()).slice(1).map(({ msg }) => msg.replace(/: .*/, '')),
    [Symbol.asyncDispose]: async () => {
      worker.child.kill('SIGKILL')
      await worker.ended
      await celery.close()
      await server.dispose()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Milliseconds of a processor that a process has used, without its children. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

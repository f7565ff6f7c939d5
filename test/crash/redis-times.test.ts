import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, test } from 'vitest'

import { Celery } from '../../src/index.ts'
import { newFolder, until, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { appendTime, appendTimeAndStay } from './fixtures/timed-tasks.ts'
import { ROOT, SECRET, startWorkerProcess } from './worker-process.ts'

/** Seconds. */
const VISIBILITY_TIMEOUT = 3
const LONG_TASK_MS = 20_000

const ETA_TASKS = 1_000
/** The first is due after two visibility timeouts, and then about a hundred a second: a machine that starts workers meanwhile can do that too. */
const FIRST_DUE_MS = 2 * VISIBILITY_TIMEOUT * 1000
const DUE_WITHIN_MS = 9_000
/** When after the submission a worker is started again: from the third one on while tasks are due. */
const RESTARTS_MS = [300, 3_000, 6_500, 9_000, 12_000]
const MOST_LATE_MS = 1_000

const TRANSPORT = { visibility_timeout: VISIBILITY_TIMEOUT }

failOnLeftovers()

describeRedis('with a visibility timeout of 3 s', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(() => server.dispose())

  test.concurrent('a task of 20 s runs once, beside a worker that could have it', { timeout: 60_000 }, async ({ expect }) => {
    const { celery, file, start, close } = application(server.url(1))
    try {
      await Promise.all([start('a'), start('b')])

      const result = await celery.submit(appendTimeAndStay, file, LONG_TASK_MS).result({ timeout: 40 })

      expect(result).toBe('done')
      // Whoever else took it would have begun it by now.
      expect(linesOf(file)).toHaveLength(1)
      const { broker } = await celery.open()
      await expect.poll(() => broker.depth('celery'), { timeout: 5_000 }).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    } finally {
      await close()
    }
  })

  test.concurrent('a thousand tasks with a distant eta run once each and in time, though workers are restarted five times', { timeout: 60_000 }, async ({ expect }) => {
    const { celery, file, start, close } = application(server.url(2))
    try {
      const workers = await Promise.all([start('a'), start('b')])
      const startMs = Date.now()
      const dueMs = Array.from({ length: ETA_TASKS }, (_, index) => startMs + FIRST_DUE_MS + (index * DUE_WITHIN_MS) / ETA_TASKS)
      await Promise.all(dueMs.map((ms) => celery.with({ eta: new Date(ms) }).submit(appendTime, file, String(ms))))

      for (const [index, atMs] of RESTARTS_MS.entries()) {
        await pause(Math.max(0, startMs + atMs - Date.now()))
        const which = index % 2
        workers[which]?.child.kill(index === 1 ? 'SIGKILL' : 'SIGTERM')
        await workers[which]?.ended
        workers[which] = await start('ab'.charAt(which))
      }
      await until(() => linesOf(file).length >= ETA_TASKS || undefined, () => `all tasks; there were ${linesOf(file).length}`, 20_000)

      const runs = linesOf(file).map((line) => line.split(' ').map(Number) as [at: number, due: number])
      const late = runs.map(([at, due]) => at - due).sort((a, b) => a - b)
      console.log(`eta: late by ms: least ${at(late, 0)}, p50 ${at(late, 0.5)}, p90 ${at(late, 0.9)}, p99 ${at(late, 0.99)}, most ${at(late, 1)}`)
      expect(new Set(runs.map(([, due]) => due)).size).toBe(ETA_TASKS)
      expect(runs).toHaveLength(ETA_TASKS)
      // A date has whole milliseconds.
      expect(at(late, 0)).toBeGreaterThanOrEqual(-1)
      expect(at(late, 1)).toBeLessThanOrEqual(MOST_LATE_MS)
    } finally {
      await close()
    }
  })
})

function application(url: string): { celery: Celery; file: string; start: (name: string) => Promise<WebProcess>; close: () => Promise<void> } {
  const folder = newFolder()
  const workers: WebProcess[] = []
  const celery = new Celery({ root: ROOT, brokerUrl: url, secretKey: SECRET, startLocalWorkers: false, brokerTransportOptions: { visibilityTimeout: VISIBILITY_TIMEOUT } })
  return {
    celery,
    file: join(folder, 'runs'),
    start: async (name) => {
      const worker = startWorkerProcess({ folder, url, name: `${name}@%h`, env: { CELERY_BROKER_TRANSPORT_OPTIONS: JSON.stringify(TRANSPORT) } })
      workers.push(worker)
      await worker.says(/ ready"/)
      return worker
    },
    close: async () => {
      for (const { child } of workers) child.kill('SIGKILL')
      await Promise.all(workers.map(({ ended }) => ended))
      await celery.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
}

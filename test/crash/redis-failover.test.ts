import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { newFolder, until } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis } from '../support/redis-server.ts'
import { RedisSentinels } from '../support/redis-sentinel.ts'
import { journalled } from './journal.ts'
import { futuresOf, startStubbornWeb } from './stubborn-futures.ts'
import { verdictOn } from './survival.ts'
import { redisEnvironment, startWorkerProcess } from './worker-process.ts'

const TASKS = 5_000
const BATCH_EVERY_MS = 50
const TASK_MS = 2
const FINISH_MS = 60_000

failOnLeftovers()

describeRedis('a Redis with sentinels', () => {
  test('that replaces its master in the middle loses no accepted task, and workers are back within 5 s of the promotion', { timeout: 2 * FINISH_MS }, async () => {
    const folder = newFolder()
    const sentinels = await RedisSentinels.start()
    const url = sentinels.url()
    const transport = JSON.stringify({ master_name: sentinels.masterName })
    const env = { CELERY_BROKER_TRANSPORT_OPTIONS: transport, CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS: transport }
    const done = (): string[] => journalled(join(folder, 'done'))
    const worker = startWorkerProcess({ folder, url, env })
    const web = startStubbornWeb({ folder, env: redisEnvironment(folder, url, env), tasks: TASKS, everyMs: BATCH_EVERY_MS, taskMs: TASK_MS })
    try {
      await until(() => done().length >= TASKS / 2 || undefined, () => `half of the tasks:\n${worker.output()}\n${web.output()}`, FINISH_MS)
      await sentinels.master.kill()
      const killedMs = performance.now()
      await sentinels.promoted(15_000)
      const promotedMs = performance.now()
      const before = done().length
      await until(() => done().length > before || undefined, () => `a task after the promotion:\n${worker.output()}`, 20_000)
      const backMs = performance.now() - promotedMs
      const futures = await futuresOf(web, FINISH_MS)
      const verdict = await verdictOn(folder, redisEnvironment(folder, url, env))
      const accepted = journalled(join(folder, 'accepted'))
      const ran = new Set(done())
      const after = { promotionMs: Math.round(promotedMs - killedMs), consumingAgainMs: Math.round(backMs) }
      console.log(`failover: ${JSON.stringify({ ...after, accepted: accepted.length, repeats: done().length - ran.size, futures })}`)

      expect({ missing: accepted.filter((id) => !ran.has(id)).slice(0, 10), reasons: futures.reasons, verdict }).toEqual({
        missing: [],
        reasons: [],
        verdict: { states: { SUCCESS: accepted.length }, reasons: [], dead: 0, depth: { ready: 0, unacked: 0, parked: 0, dead: 0 } },
      })
      expect(accepted.length).toBeGreaterThanOrEqual(TASKS)
      expect(backMs).toBeLessThan(5_000)
    } finally {
      web.child.kill('SIGKILL')
      worker.child.kill('SIGKILL')
      await Promise.all([web.ended, worker.ended])
      await sentinels.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

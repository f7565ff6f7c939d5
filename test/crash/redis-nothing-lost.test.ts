import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { newFolder } from '../services/web-process.ts'
import { CutProxy } from '../support/cut-proxy.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { journalled } from './journal.ts'
import { Keeper } from './keeper.ts'
import { makeTroubles, type Trouble } from './redis-troubles.ts'
import { futuresOf, startStubbornWeb } from './stubborn-futures.ts'
import { HIT_OFTEN, seeds, verdictOn } from './survival.ts'
import { Victims } from './victims.ts'
import { redisEnvironment, startWorkerProcess } from './worker-process.ts'

const TASKS = 20_000
const TROUBLES_MS = 45_000
/** What is left may take so long once the troubles are over. */
const FINISH_MS = 60_000
/** So that both web processes submit as long as there are troubles. */
const BATCH_EVERY_MS = 80
/** On average, so that the workers mostly have work. */
const TASK_MS = 4

/** Each reply is in the file by then, which the death of the process does not undo; only that of the machine needs `always`. */
const APPENDING = { appendfsync: 'no', 'enable-debug-command': 'yes' }

failOnLeftovers()

describeRedis('an application on Redis', () => {
  test.for(seeds(1))('runs every accepted task, whatever becomes of workers, connections and the server (seed %i)', { timeout: TROUBLES_MS + 2 * FINISH_MS }, async (seed) => {
    const folder = newFolder()
    const server = await RedisServer.start({ appendOnly: true, config: APPENDING })
    const proxy = await CutProxy.start(server.port)
    const urls = [server.url(), `redis://127.0.0.1:${proxy.port}/0`]
    const workers = urls.map((url, index) => new Keeper(() => startWorkerProcess({ folder, url, name: `worker${index}@%h`, env: HIT_OFTEN })))
    const webs = urls.map((url) => startStubbornWeb({ folder, env: redisEnvironment(folder, url), tasks: TASKS / 2, everyMs: BATCH_EVERY_MS, taskMs: TASK_MS }))
    try {
      const startMs = performance.now()
      await Promise.all(workers.map((worker) => worker.says(/ ready/, 20_000)))
      const victims = new Victims(() => [], () => workers.map(({ pid }) => pid))
      const counts = await makeTroubles({ seed, forMs: TROUBLES_MS, server, proxy, victims })
      const troublesMs = performance.now() - startMs
      const futures = await Promise.all(webs.map((web) => futuresOf(web, FINISH_MS)))
      const verdict = await verdictOn(folder, redisEnvironment(folder, server.url()))
      const accepted = journalled(join(folder, 'accepted'))
      const done = journalled(join(folder, 'done'))
      const ran = new Set(done)
      tell(seed, counts, { cuts: proxy.cuts, accepted: accepted.length, repeats: done.length - ran.size, troublesMs: Math.round(troublesMs), restMs: Math.round(performance.now() - startMs - troublesMs), futures })

      expect(accepted.length).toBeGreaterThanOrEqual(TASKS)
      expect(proxy.cuts.within, 'connections cut in the middle of a reply').toBeGreaterThan(0)
      // Together: what became of an id that is missing is half of its story.
      expect({ missing: accepted.filter((id) => !ran.has(id)).slice(0, 10), reasons: futures.flatMap(({ reasons }) => reasons), verdict }, `seed ${seed}`).toEqual({
        missing: [],
        reasons: [],
        verdict: { states: { SUCCESS: accepted.length }, reasons: [], dead: 0, depth: { ready: 0, unacked: 0, parked: 0, dead: 0 } },
      })
      expect(futures.map(({ resolved, rejected }) => resolved - rejected).reduce((sum, each) => sum + each)).toBe(accepted.length)
      expect(await Promise.all(webs.map(({ ended }) => ended))).toEqual(webs.map(() => ({ code: 0, signal: null })))
    } finally {
      for (const web of webs) web.child.kill('SIGKILL')
      await Promise.all(workers.map((worker) => worker.end()))
      await proxy.close()
      await server.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

function tell(seed: number, counts: Record<Trouble, number>, outcome: object): void {
  console.log(`seed ${seed}: ${Object.entries(counts).map(([trouble, count]) => `${trouble} ${count}`).join(', ')}\n${JSON.stringify(outcome)}`)
}

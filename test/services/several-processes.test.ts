import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Broker } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { storeUrl } from '../support/store.ts'
import { descendants, environment, fixture, gone, newFolder, startWeb, until, type WebProcess } from './web-process.ts'

failOnLeftovers()

let folder: string
let broker: Broker
let webs: WebProcess[]

beforeEach(() => {
  folder = newFolder()
  broker = openBroker(storeUrl(folder), {
    root: folder,
    clock: systemClock,
    logger: silentLogger,
    connectionTimeoutMs: 4_000,
    visibilityTimeoutMs: 10_000,
    synchronous: 'normal',
    allowNetworkFileSystem: false,
    maxMessageSize: 1_000_000,
  })
  webs = []
})

afterEach(async () => {
  const all = webs.flatMap(({ pid }) => descendants(pid))
  for (const { child } of webs) child.kill('SIGKILL')
  await Promise.all(webs.map(({ ended }) => ended))
  await gone(all, 3_000)
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

test('four web processes that start at once have one set of workers between them', async () => {
  await startWebs(4)

  expect(workerPids()).toHaveLength(2)
  await broker.connect()
  const names = (await broker.consumers()).map(({ name }) => name.split('@')[0])
  expect(names).toHaveLength(2)
  expect(new Set(names)).toEqual(new Set(['worker1', 'worker2']))
})

test('when the process that runs the workers is killed, another starts new ones', async () => {
  await startWebs(3)
  await broker.connect()

  for (let killed = 0; killed < 2; killed++) {
    const [holder] = holders()
    const old = workerPids()
    holder?.child.kill('SIGKILL')
    await holder?.ended
    webs = webs.filter((web) => web !== holder)
    await until(
      async () => {
        const pids = (await broker.consumers()).map(({ pid }) => pid)
        return (pids.length === 2 && pids.every((pid) => !old.includes(pid))) || undefined
      },
      () => 'two new workers',
      10_000,
    )
  }

  expect(holders()).toHaveLength(1)
  expect(workerPids()).toHaveLength(2)
})

test('when the process that runs the workers stops them, another starts new ones', async () => {
  await startWebs(2, 'stop')
  const [holder] = holders()

  holder?.child.stdin?.write('end\n')
  await holder?.says(/^stopped \[\]$/m)

  await until(
    () => (holders().length === 1 && !holders().includes(holder as WebProcess) && workerPids().length === 2) || undefined,
    () => 'the other process to run two workers',
  )
})

test('a process whose workers have other names is told who runs the others', async () => {
  await startWebs(1)

  const other = startWeb([fixture('web.ts')], environment(folder, { CELERY_WORKERS: 'mine', CELERY_START_TIMEOUT: '1' }))
  webs.push(other)

  expect(await other.ended).toMatchObject({ code: 1 })
  expect(other.output()).toMatch(/StartTimeoutError: .*not consuming: "mine@.*Another process runs the workers of this broker: "worker[12]@/)
})

async function startWebs(count: number, end = 'stay'): Promise<void> {
  for (let index = 0; index < count; index++) webs.push(startWeb([fixture('web.ts'), end], environment(folder, { CELERY_WORKERS: '2' })))
  await Promise.all(webs.map((web) => web.says(/^ready/m)))
}

function workersOf(web: WebProcess): number[] {
  return descendants(web.pid).filter(({ command }) => command.includes('worker-main')).map(({ pid }) => pid)
}

function workerPids(): number[] {
  return webs.flatMap(workersOf)
}

/** The web processes that have workers. */
function holders(): WebProcess[] {
  return webs.filter((web) => workersOf(web).length > 0)
}

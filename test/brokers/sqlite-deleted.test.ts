import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBackend } from '../../src/backends/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { collect, publication } from '../conformance/broker-fixture.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { StoreProcess } from '../support/store-process.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

failOnLeftovers()

let worker: StoreProcess | undefined
let fixture: Awaited<ReturnType<typeof sqliteFixture>>

beforeEach(async () => {
  fixture = await sqliteFixture()
})

afterEach(async () => {
  await worker?.kill()
  await fixture.dispose()
})

test('a worker and a publisher go on in a new file when theirs was deleted, results too', async () => {
  const broker = await fixture.open()
  const backend = openBackend('sqlite:', { root: fixture.root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000 })
  await backend.connect()
  worker = await StoreProcess.start({ url: 'sqlite:', root: fixture.root })
  await worker.call({ do: 'consume', prefetch: 1, settle: 'hold' })
  await worker.call({ do: 'wait', id: 'result' })
  await broker.publish([publication('before')])
  await worker.until((one) => one.delivered().includes('before'), 'the delivery before')

  rmSync(dirname(fixture.path), { recursive: true })
  await broker.publish([publication('after')])
  await worker.until((one) => one.delivered().includes('after'), 'the delivery after')
  await backend.store({ taskId: 'result', status: 'SUCCESS', text: 'done' })
  await worker.until(({ reports }) => reports.some((report) => report.kind === 'told' && report.text === 'done'), 'the result')

  expect(await worker.call({ do: 'held', id: 'before' })).toBe(false)
  await worker.call({ do: 'ack', id: 'before' })
  expect((await broker.depth('q')).unacked).toBe(1)
  await worker.call({ do: 'ack', id: 'after' })
  expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  await backend.close()
})

test('a consumer that has nothing to do notices, says so once and is registered again', async () => {
  const broker = await fixture.open()
  const faults: (string | undefined)[] = []
  const { consumer } = await collect(broker, { onFault: (fault) => faults.push(fault?.message) })

  rmSync(dirname(fixture.path), { recursive: true })
  await expect.poll(() => faults.length, { message: 'the loss and the return to be told', timeout: 5000 }).toBe(2)

  expect(existsSync(fixture.path)).toBe(true)
  expect(faults).toEqual([expect.stringContaining('was deleted or replaced while it was open'), undefined])
  expect((await broker.consumers()).map(({ id }) => id)).toEqual([consumer.id])
})

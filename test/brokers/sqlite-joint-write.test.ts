import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import type { Broker, Delivery } from '../../src/broker.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import type { JointWrite } from '../../src/joint-write.ts'
import { collect, publications } from '../conformance/broker-fixture.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

failOnLeftovers()

let fixture: Awaited<ReturnType<typeof sqliteFixture>>
let broker: Broker
let backend: ResultBackend
let delivery: Delivery

beforeEach(async () => {
  fixture = await sqliteFixture()
  broker = await fixture.open()
  backend = openBackend('sqlite:', { root: fixture.root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000 })
  await backend.connect()
  await broker.publish(publications(1))
  const collector = await collect(broker)
  ;[delivery] = (await collector.received(1)) as [Delivery]
})

afterEach(async () => {
  await backend.close()
  await fixture.dispose()
})

const result: StoredResult = { taskId: 'm0', status: 'SUCCESS', text: '{"result":1}' }

test('a result and its acknowledgement are one commit where they share a file', async () => {
  const write = jointWrite(result)
  expect(write.storage).toBe(broker.storage)
  const told: StoredResult[] = []
  const stop = backend.subscribe('m0', (record) => told.push(record))

  await delivery.ack(write)

  expect(await backend.get('m0')).toMatchObject(result)
  expect(await counts()).toEqual({ unacked: 0, ready: 0 })
  await expect.poll(() => told, { message: 'those who wait to be told' }).toMatchObject([result])
  stop()
})

test('neither is done when the store refuses one, and both when they are asked for again', async () => {
  const aside = new DatabaseSync(fixture.path)
  aside.exec(`CREATE TRIGGER refusal BEFORE DELETE ON claimed BEGIN SELECT RAISE(FAIL, 'not now'); END`)
  await expect(delivery.ack(jointWrite(result))).rejects.toThrow('not now')
  expect(await backend.get('m0')).toBeUndefined()
  expect(await counts()).toEqual({ unacked: 1, ready: 0 })

  aside.exec('DROP TRIGGER refusal')
  aside.exec(`CREATE TRIGGER refusal BEFORE INSERT ON result BEGIN SELECT RAISE(FAIL, 'not now'); END`)
  await expect(delivery.ack(jointWrite(result))).rejects.toThrow('not now')
  expect(await counts()).toEqual({ unacked: 1, ready: 0 })

  aside.exec('DROP TRIGGER refusal')
  aside.close()
  await delivery.ack(jointWrite(result))
  expect(await backend.get('m0')).toMatchObject(result)
  expect(await counts()).toEqual({ unacked: 0, ready: 0 })
})

test('a result is stored although there is nothing left to acknowledge', async () => {
  await delivery.ack()
  await delivery.ack(jointWrite(result))
  expect(await backend.get('m0')).toMatchObject(result)
})

test('what the stored state forbids is left unwritten, and the message goes all the same', async () => {
  await backend.store({ ...result, status: 'REVOKED' })
  await delivery.ack(jointWrite(result))
  expect(await backend.get('m0')).toMatchObject({ status: 'REVOKED' })
  expect(await counts()).toEqual({ unacked: 0, ready: 0 })
})

test('a file elsewhere is another store', async () => {
  const elsewhere = await sqliteFixture()
  expect((await elsewhere.open()).storage).not.toBe(jointWrite(result).storage)
  await elsewhere.dispose()
})

function jointWrite(record: StoredResult): JointWrite {
  return backend.jointWrite?.(record) as JointWrite
}

async function counts(): Promise<{ unacked: number; ready: number }> {
  const { unacked, ready } = await broker.depth('q')
  return { unacked, ready }
}

import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock, type Clock } from '../../src/internal/clock.ts'
import { collect, publication } from '../conformance/broker-fixture.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

failOnLeftovers()

let fixture: Awaited<ReturnType<typeof sqliteFixture>>

beforeEach(async () => {
  fixture = await sqliteFixture()
})

afterEach(() => fixture.dispose())

test('records the first children before it claims', async () => {
  const broker = await fixture.open()
  await broker.publish([publication('one')])
  const aside = new DatabaseSync(fixture.path)
  const recorded: unknown[] = []

  const collector = await collect(broker, { children: [process.pid], onDelivery: () => recorded.push(aside.prepare('SELECT children FROM consumer').get()?.['children']) })
  await collector.received(1)

  expect(recorded).toEqual([expect.stringContaining(`[[${process.pid},`)])
  aside.close()
})

test('records children with the next renewal when they could not be recorded at once', async () => {
  const broker = await fixture.open({ visibilityTimeoutMs: 300 })
  const { consumer } = await collect(broker)
  const aside = new DatabaseSync(fixture.path)

  aside.exec('ALTER TABLE consumer RENAME TO gone')
  await expect(consumer.setChildren([process.pid])).rejects.toThrow('no such table')
  aside.exec('ALTER TABLE gone RENAME TO consumer')

  await expect.poll(() => aside.prepare('SELECT children FROM consumer').get()?.['children'], { message: 'the children to be recorded', timeout: 5000 }).toContain(`[[${process.pid},`)
  aside.close()
})

test('does not hold a delivery past its lease, and lets go of it by a requeue', async () => {
  let aheadMs = 0
  const clock: Clock = { now: () => Date.now() + aheadMs, after: systemClock.after }
  const broker = await fixture.open({ clock })
  await broker.publish([publication('one')])
  const collector = await collect(broker)
  const [delivery] = await collector.received(1)

  aheadMs = 60_000
  expect(delivery?.isHeld).toBe(false)
  await delivery?.requeue()

  const [, again] = await collector.received(2)
  expect(again?.isHeld).toBe(true)
})

test('refuses to consume when it is closed meanwhile', async () => {
  const broker = await fixture.open()

  const consuming = collect(broker)
  const closing = broker.close()

  await expect(consuming).rejects.toThrow('was closed')
  await closing
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Broker } from '../../src/broker.ts'
import { OperationalError } from '../../src/errors.ts'
import { Leadership } from '../../src/services/leadership.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn } from '../support/within.ts'
import { memoryBroker } from './support.ts'

const LEASE = 'lease'

let clock: ManualClock
let broker: Broker
let events: string[]

beforeEach(async () => {
  clock = new ManualClock()
  broker = await memoryBroker(clock)
  events = []
})

afterEach(() => broker.close())

describe('Leadership', () => {
  test('takes a free lease at once and keeps it by renewing', async () => {
    const first = leadership('a')
    first.start()
    await turn()

    for (let minute = 0; minute < 12; minute++) await pass(5_000)

    expect(events).toEqual(['a gained'])
    expect(await broker.acquireLease(LEASE, 'b', 1_000)).toBe(false)
    await first.stop()
  })

  test('takes over soon after the holder stopped', async () => {
    const first = leadership('a')
    const second = leadership('b')
    first.start()
    await turn()
    second.start()
    await pass(5_000)
    expect(events).toEqual(['a gained'])

    await first.stop()
    await pass(1_000)

    expect(events).toEqual(['a gained', 'b gained'])
    await second.stop()
  })

  test('says once when the lease was lost, and tries to have it back', async () => {
    const first = leadership('a')
    first.start()
    await turn()
    await broker.releaseLease(LEASE, 'a')
    await broker.acquireLease(LEASE, 'b', 25_000)

    await pass(10_000)
    await pass(10_000)
    expect(events).toEqual(['a gained', 'a lost'])
    expect(first.isHeld).toBe(false)

    await pass(10_000)
    expect(events).toEqual(['a gained', 'a lost', 'a gained'])
    await first.stop()
  })

  test('keeps what it has while the store cannot be asked, for as long as the lease may last', async () => {
    const fault = new OperationalError('unreachable')
    const flaky = withLeases(() => (broken ? Promise.reject(fault) : undefined))
    let broken = false
    const first = leadership('a', flaky)
    first.start()
    await turn()

    broken = true
    await pass(11_000)
    expect(first.fault).toBe(fault)
    expect(events).toEqual(['a gained'])

    for (let second = 0; second < 20; second++) await pass(1_000)
    expect(events).toEqual(['a gained', 'a lost'])

    broken = false
    await pass(1_000)
    expect(first.fault).toBeUndefined()
    expect(events).toEqual(['a gained', 'a lost', 'a gained'])
    await first.stop()
  })

  test('leaves no timer and no lease when it is stopped while it asks', async () => {
    const first = leadership('a')
    first.start()

    await first.stop()

    expect(clock.timers).toBe(0)
    expect(await broker.acquireLease(LEASE, 'b', 1_000)).toBe(true)
    expect(events).toEqual([])
    await first.stop()
  })
})

function leadership(owner: string, store = broker): Leadership {
  return new Leadership({
    broker: store,
    lease: LEASE,
    owner,
    clock,
    onGained: () => void events.push(`${owner} gained`),
    onLost: () => void events.push(`${owner} lost`),
  })
}

/** The broker, whose leases first ask `intercept`. */
function withLeases(intercept: () => Promise<boolean> | undefined): Broker {
  return {
    ...broker,
    connect: () => broker.connect(),
    releaseLease: (name, owner) => broker.releaseLease(name, owner),
    acquireLease: (name, owner, ttlMs) => intercept() ?? broker.acquireLease(name, owner, ttlMs),
  } as Broker
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms)
  await turn()
}

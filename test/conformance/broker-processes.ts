import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Broker } from '../../src/broker.ts'
import { isGone } from '../../src/internal/process-identity.ts'
import { StoreProcess } from '../support/store-process.ts'
import { within } from '../support/within.ts'
import { collect, idOf, publication, publications, type BrokerFixture } from './broker-fixture.ts'

/** Holds a durable driver to the promises of `Broker` that need other processes, killed and frozen ones among them. */
export function testBrokerProcesses(name: string, setUp: () => Promise<BrokerFixture>): void {
  describe(`broker ${name} between processes`, () => {
    let fixture: BrokerFixture
    let broker: Broker
    let processes: StoreProcess[]

    beforeEach(async () => {
      fixture = await setUp()
      broker = await fixture.open({ visibilityTimeoutMs: 1500 })
      processes = []
    })

    afterEach(async () => {
      await Promise.all(processes.map((one) => one.kill()))
      await fixture.dispose()
    })

    async function start(): Promise<StoreProcess> {
      const one = await StoreProcess.start(fixture.shared ?? { url: '', root: '' }, 1500)
      processes.push(one)
      return one
    }

    test('keeps messages, parked ones too, when everyone closes', async () => {
      await broker.publish([publication('now'), publication('later', { dueAtMs: Date.now() + 1500 })])
      await broker.close()

      const reopened = await fixture.open()

      expect(await reopened.depth('q')).toMatchObject({ ready: 1, parked: 1 })
      expect((await (await collect(reopened)).received(2)).map(idOf)).toEqual(['now', 'later'])
    })

    test('keeps what was accepted from a process that was killed at once', async () => {
      const publisher = await start()
      await publisher.call({ do: 'publish', count: 500, prefix: 'm' })

      await publisher.kill()

      expect((await broker.depth('q')).ready).toBe(500)
    })

    test('delivers each message of four processes to one of four processes', async () => {
      await Promise.all([start(), start(), start(), start()])
      for (const one of processes) await one.call({ do: 'consume', prefetch: 20, settle: 'ack' })

      await Promise.all(processes.map((one, index) => one.call({ do: 'publish', count: 1250, prefix: `p${index}-` })))
      const all = (): string[] => processes.flatMap((one) => one.delivered())
      await expect.poll(() => all().length, { message: '5,000 deliveries', timeout: 20_000 }).toBe(5000)

      expect(new Set(all()).size).toBe(5000)
      expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    })

    test('delivers again what a killed process had, and counts only what had begun as lost', async () => {
      const victim = await start()
      await broker.publish(publications(2))
      await victim.call({ do: 'consume', prefetch: 1, settle: 'begin' })
      await victim.until((one) => one.delivered().length === 1, 'a delivery that began')
      const other = await start()
      await other.call({ do: 'consume', prefetch: 1, settle: 'hold' })
      await other.until((one) => one.delivered().length === 1, 'a delivery that is held')

      await victim.kill()
      await other.kill()
      const deliveries = await (await collect(broker)).received(2)

      expect(deliveries.map((delivery) => [idOf(delivery), delivery.losses])).toEqual([
        ['m0', 1],
        ['m1', 0],
      ])
    })

    test('delivers again while the consumer that takes over is already running', async () => {
      const victim = await start()
      await victim.call({ do: 'consume', prefetch: 5, settle: 'begin' })
      await broker.publish(publications(5))
      await victim.until((one) => one.delivered().length === 5, '5 deliveries')
      const collector = await collect(broker)

      await victim.kill()

      expect((await collector.received(5)).map(({ losses }) => losses)).toEqual([1, 1, 1, 1, 1])
    })

    test('ends the children of a dead worker before it repeats their tasks', async () => {
      const victim = await start()
      const child = Number(await victim.call({ do: 'consume', prefetch: 1, settle: 'begin', withChild: true }))
      await broker.publish([publication('one')])
      await victim.until((one) => one.delivered().length === 1, 'a delivery')
      expect(isGone(child, null)).toBe(false)

      await victim.kill()
      await (await collect(broker)).received(1)

      expect(isGone(child, null)).toBe(true)
    })

    test('takes over from a frozen process when its lease has run out, whose late acknowledgement then does nothing', async () => {
      const frozen = await start()
      await frozen.call({ do: 'consume', prefetch: 1, settle: 'begin' })
      await broker.publish([publication('one')])
      await frozen.until((one) => one.delivered().length === 1, 'a delivery')
      const collector = await collect(broker)

      frozen.signal('SIGSTOP')
      const [delivery] = await collector.received(1)
      frozen.signal('SIGCONT')
      expect(await frozen.call({ do: 'held', id: 'one' })).toBe(false)
      await frozen.call({ do: 'ack', id: 'one' })

      expect(delivery?.losses).toBe(1)
      expect((await broker.depth('q')).unacked).toBe(1)
      await delivery?.ack()
      expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    })

    test('lets a process that was frozen consume again, with what was taken from it out of the way', async () => {
      const frozen = await start()
      await frozen.call({ do: 'consume', prefetch: 1, settle: 'hold' })
      await broker.publish([publication('one')])
      await frozen.until((one) => one.delivered().length === 1, 'a delivery')
      const collector = await collect(broker, { prefetch: 1 })

      frozen.signal('SIGSTOP')
      await collector.received(1)
      await broker.publish([publication('two')])
      frozen.signal('SIGCONT')
      await frozen.until((one) => one.delivered().includes('two'), 'a delivery after the freeze')

      expect(await broker.consumers()).toHaveLength(2)
      expect(await frozen.call({ do: 'held', id: 'one' })).toBe(false)
      expect(await frozen.call({ do: 'held', id: 'two' })).toBe(true)
    })

    test('does not deliver again what a living process holds for longer than the lease', async () => {
      const holder = await start()
      await holder.call({ do: 'consume', prefetch: 1, settle: 'begin' })
      await broker.publish([publication('slow')])
      await holder.until((one) => one.delivered().length === 1, 'a delivery')
      const collector = await collect(broker)
      const startedAtMs = Date.now()

      // Time is what this is about: three leases long, seen by a consumer that would take over.
      while (Date.now() - startedAtMs < 4500) {
        await broker.publish([publication(`tick${collector.deliveries.length}`)])
        const [delivery] = (await collector.received(collector.deliveries.length + 1)).slice(-1)
        await delivery?.ack()
        await new Promise((resolve) => setTimeout(resolve, 250))
      }

      expect(collector.ids()).not.toContain('slow')
      await holder.call({ do: 'ack', id: 'slow' })
      expect((await broker.depth('q')).unacked).toBe(0)
    })

    test('no longer shows a consumer whose process was killed', async () => {
      const victim = await start()
      await victim.call({ do: 'consume', prefetch: 1, settle: 'hold' })
      expect(await broker.consumers()).toMatchObject([{ pid: victim.pid, name: `child-${victim.pid}` }])

      await victim.kill()

      expect(await broker.consumers()).toEqual([])
    })

    test('wakes a waiting process within milliseconds', async () => {
      const waiting = await start()
      await waiting.call({ do: 'consume', prefetch: 1, settle: 'ack' })
      const delays: number[] = []

      for (let index = 0; index < 40; index += 1) {
        const sentAtMs = Date.now()
        await broker.publish([publication(`w${index}`)])
        await waiting.until((one) => one.delivered().includes(`w${index}`), 'a wake-up')
        const report = waiting.reports.findLast((one) => one.kind === 'delivered')
        delays.push((report?.kind === 'delivered' ? report.atMs : Infinity) - sentAtMs)
      }

      // Not the median: the machine may have more to do than this.
      const quarter = delays.toSorted((a, b) => a - b)[10] ?? Infinity
      expect(quarter).toBeLessThanOrEqual(10)
    })

    test('costs a waiting process less than a hundredth of a core', async () => {
      const waiting = await start()
      await waiting.call({ do: 'consume', prefetch: 10, settle: 'ack' })
      await waiting.call({ do: 'subscribe', channel: 'control' })
      await waiting.call({ do: 'wait', id: 'nothing' })

      // Idleness can only be measured over time. A process that has just started is still compiling, and collecting what that left.
      const usedMs: number[] = []
      for (let look = 0; look < 3 && !(Math.min(...usedMs) < 40); look += 1) usedMs.push(await usedIn(waiting, 4000))

      expect(Math.min(...usedMs)).toBeLessThan(40)
    })

    test('broadcasts to other processes', async () => {
      const [one, two] = [await start(), await start()]
      for (const listener of [one, two]) await listener.call({ do: 'subscribe', channel: 'control' })
      const heard = (listener: StoreProcess): string[] => listener.reports.flatMap((report) => (report.kind === 'heard' ? [report.payload] : []))

      for (let index = 0; index < 30; index += 1) await broker.broadcast('control', String(index))
      await Promise.all([one, two].map((listener) => listener.until(() => heard(listener).length >= 30, '30 broadcasts')))

      const expected = Array.from({ length: 30 }, (_, index) => String(index))
      expect(heard(one)).toEqual(expected)
      expect(heard(two)).toEqual(expected)
    })

    test('ends a lease with the process that held it', async () => {
      const holder = await start()
      expect(await holder.call({ do: 'lease', name: 'cluster', owner: 'them' })).toBe(true)
      expect(await broker.acquireLease('cluster', 'us', 60_000)).toBe(false)

      await holder.kill()

      expect(await broker.acquireLease('cluster', 'us', 60_000)).toBe(true)
    })

    test('gives back what a process had when it closes', async () => {
      const leaving = await start()
      await broker.publish(publications(3))
      await leaving.call({ do: 'consume', prefetch: 3, settle: 'begin' })
      await leaving.until((one) => one.delivered().length === 3, '3 deliveries')

      await within(leaving.call({ do: 'close' }), 'the other process to close')

      expect((await (await collect(broker)).received(3)).map(({ losses }) => losses)).toEqual([0, 0, 0])
    })
  })
}

/** Milliseconds of a core that a process uses in so many of real time. */
async function usedIn(one: StoreProcess, ms: number): Promise<number> {
  const before = (await one.call({ do: 'cpu' })) as NodeJS.CpuUsage
  await new Promise((resolve) => setTimeout(resolve, ms))
  const after = (await one.call({ do: 'cpu' })) as NodeJS.CpuUsage
  return (after.user + after.system - before.user - before.system) / 1000
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Broker, Consumer } from '../../src/broker.ts'
import { ClosedError, StartTimeoutError } from '../../src/errors.ts'
import { WorkerCluster } from '../../src/services/worker-cluster.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn, within } from '../support/within.ts'
import { FakeProcess, KeptLog, memoryBroker, planOf } from './support.ts'

let clock: ManualClock
let broker: Broker
let log: KeptLog
let spawned: FakeProcess[]

beforeEach(async () => {
  clock = new ManualClock()
  broker = await memoryBroker(clock)
  log = new KeptLog()
  spawned = []
})

afterEach(() => broker.close())

describe('WorkerCluster', () => {
  test('starts every worker and is ready when all are', async () => {
    const cluster = clusterOf(['a@h', 'b@h'])
    cluster.start()
    const ready = track(cluster.ready(10_000))
    await pass(0)
    expect(names()).toEqual(['a@h', 'b@h'])

    process('a@h').becomeReady()
    await turn()
    expect(ready.state).toBe('pending')
    process('b@h').becomeReady()
    await turn()
    expect(ready.state).toBe('resolved')
    expect(cluster.processes.map(({ name }) => name)).toEqual(['a@h', 'b@h'])
    await cluster.stop(0)
  })

  test('leaves alone a worker that runs already, and starts it once that has ended', async () => {
    const elsewhere = await consumeAs('a@h')
    const cluster = clusterOf(['a@h'])
    cluster.start()
    await within(cluster.ready(10_000), 'the cluster to be ready')
    await pass(1_000)
    expect(names()).toEqual([])

    await elsewhere.close()
    await pass(1_000)

    expect(names()).toEqual(['a@h'])
    await cluster.stop(0)
  })

  test('starts a worker again that ended, ever later, and says so once', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    await turn()
    process('a@h').becomeReady()
    await turn()

    process('a@h').end('was ended by SIGKILL')
    await turn()
    await pass(200)
    expect(spawned).toHaveLength(2)
    process('a@h').becomeReady()
    await turn()
    process('a@h').end('was ended by SIGKILL')
    await turn()
    await pass(400)

    expect(spawned).toHaveLength(3)
    expect(log.lines).toEqual(['warn Worker "a@h" was ended by SIGKILL; starting it again. Its log is /logs/a@h.log', 'info Worker "a@h" runs again'])
    await cluster.stop(0)
  })

  test('says again that a worker ended when it ran well in between', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    for (let times = 0; times < 2; times++) {
      await pass(200)
      process('a@h').becomeReady()
      await turn()
      await pass(30_000)
      process('a@h').end('exited with code 1')
      await turn()
    }

    expect(log.lines.filter((line) => line.startsWith('warn'))).toHaveLength(2)
    await cluster.stop(0)
  })

  test('fails with the end of the log when a worker ends before it is ready, and tries again in the background', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    const ready = track(cluster.ready(10_000))
    await turn()

    process('a@h').end('exited with code 1: no such file')
    await turn()

    expect(ready.error).toBeInstanceOf(StartTimeoutError)
    expect(ready.error).toMatchObject({
      message: 'Worker "a@h" exited with code 1: no such file, before it was ready. Its log /logs/a@h.log ends with:\nlog of a@h',
      log: 'log of a@h',
    })
    await pass(200)
    expect(spawned).toHaveLength(2)
    expect(log.lines).toEqual([])
    await cluster.stop(0)
  })

  test('fails after the timeout naming the workers that are not ready', async () => {
    const cluster = clusterOf(['a@h', 'b@h'])
    cluster.start()
    const ready = track(cluster.ready(2_000))
    await turn()
    process('a@h').becomeReady()
    await turn()

    await pass(2_000)

    expect(ready.error).toBeInstanceOf(StartTimeoutError)
    expect(ready.error?.message).toBe('The local workers were not ready after 2 s (not consuming: "b@h"). Its log /logs/b@h.log ends with:\nlog of b@h')
    await cluster.stop(0)
  })

  test('says who runs other workers of the same broker', async () => {
    await consumeAs('other@h')
    await broker.acquireLease('lease', 'somebody', 60_000)
    const cluster = clusterOf(['a@h'])
    cluster.start()
    const ready = track(cluster.ready(1_000))

    for (let passed = 0; passed < 1_000; passed += 100) await pass(100)

    expect(ready.error?.message).toContain('Another process runs the workers of this broker: "other@h". Give each application a broker of its own')
    await cluster.stop(0)
  })

  test('runs one set for two processes, and the other takes over when the first stops', async () => {
    const first = clusterOf(['a@h'], 'first')
    const second = clusterOf(['a@h'], 'second')
    first.start()
    await turn()
    second.start()
    const ready = track(second.ready(10_000))
    process('a@h').becomeReady()
    const consumer = await consumeAs('a@h')
    await pass(1_000)
    expect(ready.state).toBe('resolved')
    expect(spawned).toHaveLength(1)

    process('a@h').onStop(() => consumer.close())
    await first.stop(100)
    await pass(1_000)

    expect(spawned).toHaveLength(2)
    expect(second.processes).toHaveLength(1)
    await second.stop(0)
  })

  test('gives the lease back only when its workers have ended', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    await turn()
    const gate = Promise.withResolvers<void>()
    process('a@h').onStop(() => gate.promise)

    const stopped = cluster.stop(700)
    await turn()
    expect(await broker.acquireLease('lease', 'other', 1)).toBe(false)
    gate.resolve()
    await stopped

    expect(process('a@h').stopGraceMs).toBe(700)
    expect(await broker.acquireLease('lease', 'other', 1)).toBe(true)
    expect(clock.timers).toBe(0)
  })

  test('ends its workers when it lost the lease', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    await turn()
    await broker.releaseLease('lease', 'owner')
    await broker.acquireLease('lease', 'other', 60_000)

    await pass(10_000)

    expect(process('a@h').stopGraceMs).toBe(5_000)
    expect(cluster.processes).toEqual([])
    await cluster.stop(0)
  })

  test('rejects those who wait when it is stopped', async () => {
    const cluster = clusterOf(['a@h'])
    cluster.start()
    const ready = track(cluster.ready(10_000))
    await turn()

    await cluster.stop(0)
    await turn()

    expect(ready.error).toBeInstanceOf(ClosedError)
    expect(clock.timers).toBe(0)
  })
})

function clusterOf(nodeNames: string[], owner = 'owner'): WorkerCluster {
  const spawn = ({ nodeName }: { nodeName: string }): FakeProcess => {
    const made = new FakeProcess(nodeName)
    spawned.push(made)
    return made
  }
  return new WorkerCluster({ plans: nodeNames.map(planOf), broker, lease: 'lease', owner, spawn, onFault: () => {}, handOverGraceMs: 5_000, clock, logger: log })
}

/** The latest process of that name. */
function process(nodeName: string): FakeProcess {
  const found = spawned.findLast((one) => one.nodeName === nodeName)
  if (found === undefined) throw new Error(`No process "${nodeName}" was started; there are: ${names().join(', ')}`)
  return found
}

function names(): string[] {
  return spawned.map(({ nodeName }) => nodeName)
}

function consumeAs(name: string): Promise<Consumer> {
  return broker.consume({ queues: ['celery'], prefetch: 1, name, onDeliveries: () => {} })
}

function track(promise: Promise<unknown>): { state: 'pending' | 'resolved' | 'rejected'; error: Error | undefined } {
  const tracked: ReturnType<typeof track> = { state: 'pending', error: undefined }
  promise.then(
    () => (tracked.state = 'resolved'),
    (error: Error) => Object.assign(tracked, { state: 'rejected', error }),
  )
  return tracked
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms)
  await turn()
}

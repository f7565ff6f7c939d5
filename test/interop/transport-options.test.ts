import { afterEach, expect, test } from 'vitest'

import { TaskRevokedError } from '../../src/index.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { RedisSentinels } from '../support/redis-sentinel.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { type BothSides, bothSides, type BothSidesOptions } from './both-sides.ts'
import { describeInterop } from './python-app.ts'

failOnLeftovers()

describeInterop('both sides find each other', () => {
  let sides: BothSides | undefined

  afterEach(async () => {
    await sides?.close()
    sides = undefined
  })

  test.each<[string, BothSidesOptions]>([
    ['in databases of their own for messages and results', { urls: (server) => ({ broker: server.url(3), results: server.url(4) }) }],
    ['with a password that has to be escaped', { server: { password: 'p@ss:w/rd ?é' } }],
    ['through a socket', { urls: both((server) => `redis+socket://${server.socketPath}?virtual_host=2`) }],
    ['with TLS', { server: { tls: true }, urls: both((server) => `${server.url(1)}?ssl_cert_reqs=required&ssl_ca_certs=${server.certificates?.caFile}`) }],
    ['with a prefix for keys and channels', transportOptions({ global_keyprefix: 'tenant1:' })],
    ['with other steps of priority', transportOptions({ sep: ':', priority_steps: [0, 2, 5, 7] })],
    ['without a prefix for channels', transportOptions({ fanout_prefix: false, fanout_patterns: false })],
    ['with other names for the claims', transportOptions({ unacked_key: 'held', unacked_index_key: 'held_index', unacked_mutex_key: 'held_mutex' })],
  ])('%s', async (_how, options) => {
    sides = await bothSides({ ...options, settings: { ...options.settings, task_track_started: true } })

    await talk(sides)
  })

  test('through sentinels', async () => {
    const sentinels = await RedisSentinels.start()
    try {
      const options: Readonly<Record<string, unknown>> = { master_name: sentinels.masterName }
      // With sentinels, kombu 5.2 leaves the "{db}" in the names of channels as it is.
      const broker: Readonly<Record<string, unknown>> = { ...options, fanout_prefix: '/0.' }
      sides = await bothSides({
        conf: { brokerTransportOptions: broker, resultBackendTransportOptions: options },
        settings: { broker_transport_options: broker, result_backend_transport_options: options, task_track_started: true },
        urls: both(() => sentinels.url()),
      })

      await talk(sides)
    } finally {
      await sides?.close()
      await sentinels.dispose()
    }
  })

  test('a prefix is before every key of messages, and before no other', async () => {
    sides = await bothSides(transportOptions({ global_keyprefix: 'tenant1:' }))
    const { ours, python, redis } = sides
    await ours.startWorker({ queues: ['ours', 'waiting'] })
    await python.run("ours('power', 2).apply_async(queue='ours').get(timeout=10)\nours('sleep', 60).apply_async(queue='waiting')\nours('sleep', 60).apply_async(queue='waiting', countdown=60)")

    const client = await redis.client()
    await expect.poll(async () => client.exists('tenant1:unacked')).toBe(1)
    const keys = await client.keys('*')

    expect(keys.filter((key) => !/^(tenant1:|celery-task-meta-)/.test(key))).toEqual([])
  })
})

/** Messages, results and remote control, in both directions. */
async function talk({ ours, python, startPythonWorker }: BothSides): Promise<void> {
  const [, theirs] = await Promise.all([ours.startWorker({ queues: ['ours'] }), startPythonWorker({ queues: ['python'] })])

  // Messages and results.
  expect(await python.run("[ours('power', n).apply_async(queue='ours', priority=priority).get(timeout=10) for n, priority in ((2, 0), (3, 5), (4, 9))]")).toEqual([4, 9, 16])
  for (const priority of [0, 9]) expect(await ours.celery.sendTask('tasks.power', [3], {}, { queue: 'python', priority }).result({ timeout: 10 })).toBe(9)

  // Remote control.
  const revoked = python.run(`
    result = ours('sleep', 60).apply_async(queue='ours')
    while result.state != 'STARTED': time.sleep(0.02)
    result.revoke(terminate=True)
    result.get(timeout=10)
  `)
  await expect(revoked).rejects.toThrow('TaskRevokedError')
  const future = await ours.celery.sendTask('tasks.sleep', [60], {}, { queue: 'python' })
  await untilState(future, 'STARTED')
  expect(await future.cancel({ timeout: 10 })).toBe(true)
  expect(await future.exception()).toBeInstanceOf(TaskRevokedError)
  await theirs.stop()
}

function both(url: (server: RedisServer) => string): NonNullable<BothSidesOptions['urls']> {
  return (server) => ({ broker: url(server), results: url(server) })
}

/** Celery's spelling is read by both. */
function transportOptions(options: Readonly<Record<string, unknown>>): BothSidesOptions {
  return { conf: { brokerTransportOptions: options }, settings: { broker_transport_options: options } }
}

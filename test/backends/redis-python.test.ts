import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import { decodeGroupMeta, decodeResultMeta, encodeGroupMeta, encodeResultMeta } from '../../src/protocol/result.ts'
import type { State } from '../../src/states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { REDIS_MISSING, RedisServer } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import { redisFixture, type RedisBackendFixture } from './redis-fixture.ts'
import { PythonClient } from './redis-python-client.ts'

failOnLeftovers()

const hasCelery = spawnSync('/usr/bin/python3', ['-c', 'import celery, redis']).status === 0
const missing = REDIS_MISSING ?? (hasCelery ? undefined : 'Celery for /usr/bin/python3 is not installed')

describe.skipIf(missing !== undefined)(`result backend redis and Python${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let server: RedisServer
  let fixture: RedisBackendFixture
  let backend: ResultBackend
  let python: PythonClient
  let round = 0

  /** An id of this test's own: Python remembers results. */
  const of = (name: string): string => `${name}-${round}`

  beforeEach(() => {
    round += 1
  })

  beforeAll(async () => {
    server = await RedisServer.start()
    fixture = await redisFixture(server)
    backend = await fixture.open()
    python = PythonClient.start(fixture.url)
  })

  afterAll(async () => {
    await python.stop()
    await fixture.dispose()
    await server.dispose()
  })

  test('a success of ours is what Python gets', async () => {
    await backend.store(result(of('a'), 'SUCCESS', { n: [1, 2.5, 'é\u{1f980}', null] }))

    expect(await python.call('get', of('a'))).toEqual({ n: [1, 2.5, 'é\u{1f980}', null] })
    expect(await python.call('meta', of('a'))).toMatchObject({ status: 'SUCCESS', task_id: of('a'), children: [], traceback: null })
  })

  test('a failure of ours is raised in Python', async () => {
    await backend.store(result(of('a'), 'FAILURE', { exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' }))
    await backend.store(result(of('b'), 'FAILURE', { exc_type: 'RangeError', exc_message: ['too much'], exc_module: 'tasks' }))

    expect(await python.call('error', of('a'))).toEqual({ type: 'ValueError', module: 'builtins', args: ["'boom'", '42'] })
    expect(await python.call('error', of('b'))).toMatchObject({ type: 'RangeError', args: ["'too much'"] })
  })

  test('a state of our own is seen by Python', async () => {
    await backend.store(result(of('a'), 'PROGRESS', { done: 3, of: 4 }))

    expect(await python.call('state', of('a'))).toEqual(['PROGRESS', { done: 3, of: 4 }])
  })

  test('a group of ours is restored by Python, with its results', async () => {
    await backend.saveGroup(of('g'), encodeGroupMeta(of('g'), [of('a'), of('b')]), undefined)
    await backend.store(result(of('b'), 'SUCCESS', 2))
    await backend.store(result(of('a'), 'SUCCESS', 1))

    expect(await python.call('group_get', of('g'))).toEqual([1, 2])
  })

  test('a group of Python is read here', async () => {
    await python.call('group_save', of('g'), [of('a'), of('b')])

    expect(decodeGroupMeta((await backend.getGroup(of('g'))) ?? '')).toEqual([of('a'), of('b')])
  })

  test.each([
    ['SUCCESS', { n: [1, 2.5, 'é\u{1f980}', null] }],
    ['PROGRESS', { done: 3 }],
    ['STARTED', { pid: 1, hostname: 'h' }],
  ] as [State, unknown][])('a %s of Python is read here', async (status, value) => {
    await python.call('store', of('a'), value, status)

    const record = await backend.get(of('a'))
    expect(record?.status).toBe(status)
    expect(decodeResultMeta(record?.text ?? '')).toMatchObject({ taskId: of('a'), status, result: value })
  })

  test('a failure of Python is read here', async () => {
    await python.call('fail', of('a'), 'boom')

    const record = await backend.get(of('a'))
    expect(record?.status).toBe('FAILURE')
    const failure = { exc_type: 'ValueError', exc_message: ['boom', 42] }
    expect(decodeResultMeta(record?.text ?? '')).toMatchObject({ result: failure, traceback: 'Traceback: here' })
  })

  test('what we store wakes a Python client that waits', async () => {
    await python.call('wait_begin', of('a'))

    await backend.store(result(of('a'), 'STARTED', { pid: 1 }))
    await backend.store(result(of('a'), 'SUCCESS', 'woken'))
    // So that it can have it from nowhere but the channel.
    await backend.forget(of('a'))

    expect(await python.call('wait_end', of('a'))).toBe('woken')
  })

  test('what Python stores wakes who waits here', async () => {
    const heard: string[] = []
    const done = Promise.withResolvers<void>()
    backend.subscribe(of('a'), ({ status }) => {
      heard.push(status)
      if (status === 'SUCCESS') done.resolve()
    })
    expect(await backend.get(of('a'))).toBeUndefined()

    await python.call('store', of('a'), { pid: 1 }, 'STARTED')
    await python.call('store', of('a'), 5, 'SUCCESS')

    await within(done.promise, 'the result')
    expect(heard).toEqual(['STARTED', 'SUCCESS'])
  })

  test('neither side stores over a success of the other', async () => {
    await backend.store(result(of('ours'), 'SUCCESS', 1))
    await python.call('store', of('theirs'), 1, 'SUCCESS')

    await python.call('store', of('ours'), 2, 'SUCCESS')
    expect(await backend.store(result(of('theirs'), 'FAILURE', null))).toBe(false)

    expect(decodeResultMeta((await backend.get(of('ours')))?.text ?? '').result).toBe(1)
    expect(decodeResultMeta((await backend.get(of('theirs')))?.text ?? '').result).toBe(1)
  })

  test('what one side forgets is gone for the other', async () => {
    await backend.store(result(of('a'), 'SUCCESS', 1))
    await python.call('store', of('b'), 1, 'SUCCESS')

    await python.call('forget', of('a'))
    await backend.forget(of('b'))

    expect(await backend.get(of('a'))).toBeUndefined()
    expect(await python.call('state', of('b'))).toEqual(['PENDING', null])
  })
})

function result(taskId: string, status: State, value: unknown): StoredResult {
  const text = encodeResultMeta({ taskId, status, resultText: JSON.stringify(value), traceback: null, dateDoneMs: Date.now() })
  return { taskId, status, text, expiresAtMs: Date.now() + 86_400_000 }
}

import { describe, expect, test } from 'vitest'
import { TaskRevokedError } from '../../src/errors.ts'
import { Future } from '../../src/result/future.ts'
import { waitingTable } from '../../src/result/waiting.ts'
import { TestSource, wireError } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

describe('a task that does not run', () => {
  test.each(['PENDING', 'RECEIVED', 'RETRY'])('is revoked in the store and at the workers when it is %s', async (state) => {
    const source = new TestSource()
    if (state !== 'PENDING') await source.put('a', state)
    const future = new Future(source, 'a')

    expect(await future.cancel()).toBe(true)
    expect(source.revoked).toEqual([{ id: 'a', options: { terminate: true } }])
    expect(await new Future(source, 'a').cancelled()).toBe(true)
    await expect(new Future(source, 'a').result()).rejects.toThrow(TaskRevokedError)
    expect(source.backend.records.get('a')?.expiresAtMs).toBe(source.expiresAtMs())
  })

  test('is stored as Celery stores it', async () => {
    const source = new TestSource()

    await new Future(source, 'a').cancel()

    expect(JSON.parse(source.backend.records.get('a')?.text ?? '')).toMatchObject({
      task_id: 'a',
      status: 'REVOKED',
      result: { exc_type: 'TaskRevokedError', exc_message: ['revoked'], exc_module: 'celery.exceptions' },
      traceback: null,
      children: [],
      date_done: '2026-01-01T00:00:00.000000+00:00',
    })
  })

  test('is revoked under the strict rule too', async () => {
    const source = new TestSource()

    expect(await new Future(source, 'a').cancel({ terminate: false })).toBe(true)
    expect(source.revoked).toEqual([{ id: 'a', options: { terminate: false } }])
  })

  test('ends the waits for it', async () => {
    const source = new TestSource()
    const wait = new Future(source, 'a').exception()
    await turn()

    await new Future(source, 'a').cancel()

    expect(await within(wait, 'the revocation')).toBeInstanceOf(TaskRevokedError)
  })
})

describe.each(['STARTED', 'PROGRESS'])('a task that is %s', (state) => {
  test('is cancelled when its worker ends it in time', async () => {
    const source = new TestSource()
    await source.put('a', state)
    source.onRevoke = (id) => void source.put(id, 'REVOKED', wireError('TaskRevokedError', 'terminated', 'celery.exceptions'))

    expect(await within(new Future(source, 'a').cancel({ signal: 'SIGKILL' }), 'the cancellation')).toBe(true)
    expect(source.revoked).toEqual([{ id: 'a', options: { terminate: true, signal: 'SIGKILL' } }])
  })

  test('is not cancelled when it ends by itself meanwhile', async () => {
    const source = new TestSource()
    await source.put('a', state)
    source.onRevoke = (id) => void source.put(id, 'SUCCESS', 3)

    expect(await within(new Future(source, 'a').cancel(), 'the cancellation')).toBe(false)
  })

  test('is not cancelled when nothing happens for the timeout, a second unless told otherwise', async () => {
    const source = new TestSource()
    await source.put('a', state)

    for (const [options, ms] of [[{}, 1_000], [{ timeout: '5s' }, 5_000]] as const) {
      const cancel = new Future(source, 'a').cancel(options)
      await turn()
      source.clock.advance(ms - 1)
      await turn()
      expect(source.clock.timers).toBe(1)
      source.clock.advance(1)
      expect(await within(cancel, 'the cancellation')).toBe(false)
    }
    expect({ timers: source.clock.timers, entries: waitingTable(source).size }).toEqual({ timers: 0, entries: 0 })
  })

  test('is asked to end and not waited for with wait: false', async () => {
    const source = new TestSource()
    await source.put('a', state)

    expect(await new Future(source, 'a').cancel({ wait: false })).toBe(false)
    expect(source.revoked).toHaveLength(1)
    expect(source.clock.timers).toBe(0)
  })

  test('is left alone under the strict rule', async () => {
    const source = new TestSource()
    await source.put('a', state)

    expect(await new Future(source, 'a').cancel({ terminate: false })).toBe(false)
    expect(source.revoked).toEqual([])
    expect(await new Future(source, 'a').state()).toBe(state)
  })
})

describe('a task that has ended', () => {
  test.each([
    ['SUCCESS', false],
    ['FAILURE', false],
    ['REVOKED', true],
  ])('stays %s and no worker is told', async (state, cancelled) => {
    const source = new TestSource()
    await source.put('a', state, wireError('Error', 'x'))
    const future = new Future(source, 'a')

    expect(await future.cancel()).toBe(cancelled)
    expect(await future.cancel()).toBe(cancelled)
    expect(await future.state()).toBe(state)
    expect(source.revoked).toEqual([])
  })
})

test('a timeout that makes no sense is refused before anything is done', async () => {
  const source = new TestSource()

  await expect(new Future(source, 'a').cancel({ timeout: 'soon' })).rejects.toThrow(TypeError)
  expect(source.backend.records.size).toBe(0)
})

test('revoke tells the workers and stores nothing', async () => {
  const source = new TestSource()

  await new Future(source, 'a').revoke()
  await new Future(source, 'a').revoke({ terminate: true, signal: 'SIGTERM' })

  expect(source.revoked).toEqual([
    { id: 'a', options: { terminate: false } },
    { id: 'a', options: { terminate: true, signal: 'SIGTERM' } },
  ])
  expect(source.backend.records.size).toBe(0)
})

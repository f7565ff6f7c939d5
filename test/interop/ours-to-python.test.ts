import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Celery, EncodeError, type Future, kw, MaxRetriesExceededError, NotRegistered, RemoteError, type SendOptions, TaskRevokedError, WorkerLostError } from '../../src/index.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { type BothSides, bothSides, linesOf, touch } from './both-sides.ts'
import { describeInterop, IS_RECENT } from './python-app.ts'

failOnLeftovers()

const SOON = { timeout: 10 }

describeInterop('a client of ours whose tasks a Python worker runs', () => {
  let sides: BothSides
  let celery: Celery

  beforeAll(async () => {
    sides = await bothSides({ conf: { acceptContent: ['json', 'msgpack', 'yaml'] }, settings: { result_extended: true, task_track_started: true } })
    celery = sides.ours.celery
    await Promise.all([
      sides.startPythonWorker({ queues: ['celery', 'other'], concurrency: 2 }),
      // For callbacks and for tasks that Python sends.
      sides.ours.startWorker({ queues: ['ours'], name: 'ours@test' }),
    ])
  })

  afterAll(() => sides.close())

  /** Sends a task of Python and waits for its result. */
  function call<T = unknown>(name: string, args: readonly unknown[] = [], options: SendOptions = {}): Promise<T> {
    return celery.sendTask<T>(`tasks.${name}`, args, {}, options).result(SOON)
  }

  /** Sends a task of Python that must fail. */
  async function failure(name: string, args: readonly unknown[] = [], options: SendOptions = {}): Promise<Error> {
    const future = await celery.sendTask(`tasks.${name}`, args, {}, options)
    const error = await future.exception(SOON)
    if (error === undefined) throw new Error(`Expected ${name} to fail, it gave ${String(await future.result())}`)
    return error
  }

  describe('arguments', () => {
    test.each<[string, readonly unknown[], Record<string, unknown>, number]>([
      ['by position', [3, 4], {}, 81],
      ['by name', [], { exponent: 4, base: 3 }, 81],
      ['by position and by name', [3], { exponent: 4 }, 81],
      ['left to their defaults', [3], {}, 9],
    ])('arrive %s', async (_how, args, kwargs, expected) => {
      expect(await celery.sendTask('tasks.power', args, kwargs).result(SOON)).toBe(expected)
    })

    test('by name may come as kw', async () => {
      expect(await celery.sendTask('tasks.power', [3, kw({ exponent: 3 })]).result(SOON)).toBe(27)
    })

    test.each<[string, readonly unknown[], Record<string, unknown>]>([
      ['that the function does not have', [3], { colour: 4 }],
      ['that are too few', [], {}],
      ['that are too many', [1, 2, 3], {}],
    ])('%s fail the task with a TypeError', async (_what, args, kwargs) => {
      const error = await (await celery.sendTask('tasks.power', args, kwargs)).exception(SOON)

      expect(error?.name).toBe('TypeError')
      expect(error?.message).toContain('power() ')
    })

    test('of a task that is declared here go to the Python worker by its name', async () => {
      const add = celery.task({ name: 'tasks.add_together', queue: 'other' }, (a: number, b: number) => a + b)

      expect(await add.delay(23, 42).result(SOON)).toBe(65)
    })
  })

  describe('times', () => {
    test.each<[string, (seconds: number) => SendOptions]>([
      ['countdown', (seconds) => ({ countdown: seconds })],
      ['countdown in words', (seconds) => ({ countdown: `${seconds * 1000}ms` })],
      ['eta as a Date', (seconds) => ({ eta: new Date(Date.now() + seconds * 1000) })],
      ['eta as text', (seconds) => ({ eta: new Date(Date.now() + seconds * 1000).toISOString() })],
    ])('%s is waited for', async (_how, options) => {
      const sent = Date.now() / 1000

      const ran = await call<number>('clock', [], options(0.8))

      expect(ran - sent).toBeGreaterThanOrEqual(0.79)
      expect(ran - sent).toBeLessThan(3)
    })

    test('an eta with another offset is that moment', async () => {
      const due = new Date(Math.ceil(Date.now() / 1000 + 1) * 1000)
      const eta = `${new Date(due.getTime() + 5.5 * 3_600_000).toISOString().slice(0, 19)}+05:30`

      const ran = await call<number>('clock', [], { eta })

      expect(ran - due.getTime() / 1000).toBeGreaterThanOrEqual(0)
      expect(ran - due.getTime() / 1000).toBeLessThan(2)
    })

    test('an eta that has passed means now', async () => {
      expect(await call('echo', [1], { eta: new Date(0) })).toBe(1)
    })

    test('eta and expiry have six digits and an offset, as Python needs them', async () => {
      const eta = new Date(Date.now() + 100)
      const expires = new Date(Date.now() + 60_000)

      const request = await call<Record<string, string>>('request', [], { eta, expires })

      expect(request).toMatchObject({ eta: eta.toISOString().replace('Z', '000+00:00'), expires: expires.toISOString().replace('Z', '000+00:00') })
    })

    test.each<[string, () => SendOptions]>([
      ['a duration', () => ({ expires: 60 })],
      ['a Date', () => ({ expires: new Date(Date.now() + 60_000) })],
    ])('a task that expires later is run (%s)', async (_how, options) => {
      expect(await call('echo', ['in time'], options())).toBe('in time')
    })

    test('a task that expired meanwhile is REVOKED', async () => {
      const file = sides.file('expired')
      const future = await celery.sendTask('tasks.record', [file, 'ran'], {}, { expires: 0.2, countdown: 0.5 })

      const error = await future.exception(SOON)

      expect(error).toBeInstanceOf(TaskRevokedError)
      expect(error?.message).toBe('expired')
      expect([await future.state(), await future.cancelled()]).toEqual(['REVOKED', true])
      expect(linesOf(file)).toEqual([])
    })
  })

  describe('after a task', () => {
    test('a callback of Python gets its result', async () => {
      const file = sides.file('link')

      await call('power', [3], { link: celery.signature('tasks.note', [file]) })

      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('a callback of ours gets its result', async () => {
      const file = sides.file('link-ours')

      await call('power', [3], { link: celery.signature('ours.note', [file], {}, { queue: 'ours' }) })

      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('each of several callbacks gets its result', async () => {
      const files = ['link-1', 'link-2', 'link-3'].map(sides.file)
      const [first, second, third] = files as [string, string, string]
      const link = [
        celery.signature('tasks.note', [first]),
        celery.signature('ours.note', [second], {}, { queue: 'ours' }),
        celery.signature('tasks.note', [third], {}, { queue: 'other' }),
      ]

      await call('power', [4], { link })

      await expect.poll(() => files.map(linesOf)).toEqual([['16'], ['16'], ['16']])
    })

    test('an immutable callback keeps its own arguments', async () => {
      const file = sides.file('link-immutable')

      await call('power', [3], { link: celery.signature('tasks.record', [file, 'mine'], {}, { immutable: true }) })

      await expect.poll(() => linesOf(file)).toEqual(['mine'])
    })

    test('a callback can have a callback', async () => {
      const file = sides.file('link-link')
      const link = celery.signature('tasks.power', [2], {}, { link: celery.signature('tasks.note', [file]) })

      await call('power', [3, 1], { link })

      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('a callback has its own id, countdown and headers', async () => {
      const taskId = 'callback of ours'
      const link = celery.signature('tasks.request', [], {}, { taskId, countdown: 0.2, queue: 'other', shadow: 'shown' })

      await call('power', [3], { link })

      expect(await celery.get(taskId).result(SOON)).toMatchObject({ id: taskId, queue: 'other', shadow: 'shown' })
    })

    test('an errback of Python in the old style gets the id of what failed', async () => {
      const file = sides.file('link-error')
      const future = await celery.sendTask('tasks.fail', ['no'], {}, { linkError: celery.signature('tasks.on_failure', [], { file }) })

      await future.exception(SOON)

      await expect.poll(() => linesOf(file)).toEqual([future.id])
    })

    test('an errback of Python in the new style is called in the worker, with the error', async () => {
      const future = await celery.sendTask('tasks.fail', ['no'], {}, { linkError: celery.signature('tasks.on_failure_inline') })

      await future.exception(SOON)

      await expect.poll(() => sides.python.run("app.backend.client.lrange('errbacks', 0, -1)[0].decode()").catch(() => undefined)).toBe(`${future.id} ValueError no`)
    })

    test('an errback of ours gets the id of what failed', async () => {
      const file = sides.file('link-error-ours')
      const future = await celery.sendTask('tasks.fail', ['no'], {}, { linkError: celery.signature('ours.on_failure', [file], {}, { queue: 'ours' }) })

      await future.exception(SOON)

      await expect.poll(() => linesOf(file)).toEqual([future.id])
    })

    test('callbacks are not called when it fails, nor errbacks when it does not', async () => {
      const [wrong, right] = [sides.file('link-wrong'), sides.file('link-right')]
      const leave = (file: string, text: string): SendOptions['link'] & {} => celery.signature('tasks.record', [file, text], {}, { immutable: true })

      await failure('fail', ['no'], { link: leave(wrong, 'link'), linkError: leave(right, 'errback') })
      await call('echo', [1], { link: leave(right, 'link'), linkError: leave(wrong, 'errback') })

      await expect.poll(() => linesOf(right).toSorted()).toEqual(['errback', 'link'])
      expect(linesOf(wrong)).toEqual([])
    })
  })

  describe('retries by Python', () => {
    test('end with the result', async () => {
      const file = sides.file('flaky')

      expect(await call('flaky', [3, file])).toBe(3)
      expect(linesOf(file)).toEqual(['0', '1', '2', '3'])
    })

    test('by autoretry_for end with the result', async () => {
      expect(await call('autoretried', [2])).toBe(2)
    })

    test('are seen as RETRY with their error', async () => {
      const future = await celery.sendTask('tasks.wait_to_retry')

      const { info } = await untilState(future, 'RETRY')

      expect(info).toMatchObject({ name: 'OrderError', message: '1, later' })
      expect(await future.done()).toBe(false)
    })

    test('that are used up fail with the error that was given', async () => {
      expect(await failure('give_up', [true])).toMatchObject({ name: 'OrderError', excArgs: [7, 'still closed'] })
    })

    test('that are used up without an error fail with MaxRetriesExceededError', async () => {
      expect(await failure('give_up', [false])).toBeInstanceOf(MaxRetriesExceededError)
    })

    test('may be finished by a worker of ours', async () => {
      expect(await call('hand_over', ['ours'])).toBe('ours after 1')
    })

    test('keep the queue and what follows', async () => {
      const file = sides.file('flaky-link')

      await call('flaky', [1], { queue: 'other', link: celery.signature('tasks.note', [file]) })

      await expect.poll(() => linesOf(file)).toEqual(['1'])
    })
  })

  describe('states', () => {
    test('progress is seen while the task runs', async () => {
      const file = sides.file('progress')
      const future = await celery.sendTask<string>('tasks.report_until', ['PROGRESS', { done: 1, of: [2] }, file])

      expect((await untilState(future, 'PROGRESS')).info).toEqual({ done: 1, of: [2] })
      touch(file)
      expect(await future.result(SOON)).toBe(file)
    })

    test('a state of the task is seen while it runs', async () => {
      const file = sides.file('custom')
      const future = await celery.sendTask<string>('tasks.report_until', ['PAINTING', 'red', file])

      await untilState(future, 'PAINTING')
      expect([await future.state(), await future.info()]).toEqual(['PAINTING', 'red'])
      touch(file)
      await future.result(SOON)
    })

    test('each step comes to who iterates over the progress', async () => {
      const file = sides.file('count')
      const future = await celery.sendTask('tasks.count_to', [5, file])
      const steps: unknown[] = []

      touch(file)
      for await (const { state, info } of future.progress(SOON)) if (state === 'PROGRESS') steps.push(info)

      expect(steps.length).toBeGreaterThan(2)
      expect(steps.at(-1)).toEqual({ done: 5, last: 5 })
      expect(await future.result()).toBe(5)
    })

    test('STARTED says which process runs it, and where', async () => {
      const file = sides.file('started')
      const future = await celery.sendTask('tasks.wait_for_file', [file])

      expect((await untilState(future, 'STARTED')).info).toEqual({ pid: expect.any(Number) as number, hostname: 'python@test' })
      touch(file)
      await future.result(SOON)
    })

    test('a done callback is called', async () => {
      const done = Promise.withResolvers<unknown>()

      await celery.sendTask('tasks.power', [3]).then((future) => future.addDoneCallback(async (self) => done.resolve(await self.result())))

      expect(await done.promise).toBe(9)
    })

    test('all that the result holds is read', async () => {
      const future = await celery.sendTask('tasks.power', [3], { exponent: 2 }, { queue: 'other' })
      await future.result(SOON)
      const again = celery.get(future.id)

      expect(Math.abs(((await again.dateDone())?.getTime() ?? 0) - Date.now())).toBeLessThan(5_000)
      expect([await again.worker(), await again.retries(), await again.queue(), await again.args(), await again.kwargs()]).toEqual(['python@test', 0, 'other', [3], { exponent: 2 }])
      expect([await again.successful(), await again.failed(), await again.done()]).toEqual([true, false, true])
    })

    test('forget removes the result', async () => {
      const future = await celery.sendTask('tasks.power', [3])
      await future.result(SOON)

      await future.forget()

      expect(await celery.get(future.id).state()).toBe('PENDING')
      expect(await sides.python.run('AsyncResult(id).state', { id: future.id })).toBe('PENDING')
    })

    test('is known to Python by the id alone', async () => {
      const future = await celery.sendTask('tasks.echo', [{ a: [1] }])

      expect(await sides.python.run('AsyncResult(id).get(timeout=10)', { id: future.id })).toEqual({ a: [1] })
    })

    test('nothing is stored for a task that raises Ignore', async () => {
      const future = await celery.sendTask('tasks.ignore')

      await expect(future.result({ timeout: 0.5 })).rejects.toThrow(/still (STARTED|PENDING)/)
    })
  })

  describe('failures', () => {
    test('have the class, the text and the traceback of Python', async () => {
      const future = await celery.sendTask('tasks.fail', ['grüße 😀'])

      const error = await future.exception(SOON)

      expect(error).toMatchObject({ name: 'ValueError', message: 'grüße 😀', excModule: 'builtins', excArgs: ['grüße 😀'] })
      expect(error).toBeInstanceOf(RemoteError)
      expect(await future.traceback()).toMatch(/^Traceback[^]*raise ValueError\(message\)/)
      expect(error?.stack).toContain('raise ValueError(message)')
    })

    test.each<[string, string, readonly unknown[], object]>([
      ['a KeyError', 'fail_with_key', ['missing'], { name: 'KeyError', excArgs: ['missing'] }],
      ['an error with several arguments', 'fail_with_several', [7, 'closed'], { name: 'OrderError', excModule: 'tasks', excArgs: [7, 'closed'] }],
      ['a class inside another', 'fail_nested', [], { name: 'Orders.Closed', excArgs: ['for good'] }],
      ['an error with a cause', 'fail_chained', [], { name: 'RuntimeError', message: 'outer' }],
      ['arguments that JSON cannot hold', 'fail_oddly', [], { name: 'ValueError', excArgs: [expect.stringContaining('1'), expect.stringContaining('<object object')] }],
    ])('of %s', async (_what, name, args, expected) => {
      expect(await failure(name, args)).toMatchObject(expected)
    })

    test('show the cause in the traceback', async () => {
      const future = await celery.sendTask('tasks.fail_chained')
      await future.exception(SOON)

      expect(await future.traceback()).toContain("KeyError: 'inner'")
    })

    test('to encode the result are an EncodeError', async () => {
      expect((await failure('return_unsendable')).name).toBe('EncodeError')
    })

    test('of the process are a WorkerLostError', async () => {
      expect(await failure('die')).toBeInstanceOf(WorkerLostError)
    })

    test.each([
      ['soft', 'past_soft_limit', 'SoftTimeLimitExceeded'],
      ['hard', 'past_hard_limit', 'TimeLimitExceeded'],
    ])('by the %s time limit', async (_which, name, type) => {
      expect((await failure(name)).name).toBe(type)
    })

    test('of a task that Python does not know are NotRegistered, with its name', async () => {
      const error = await failure('nobody')

      expect(error).toBeInstanceOf(NotRegistered)
      expect(error.message).toContain('tasks.nobody')
    })
  })

  describe('cancelling', () => {
    test('before it starts', async () => {
      const [gate, file] = [sides.file('gate'), sides.file('cancelled')]
      await sides.startPythonWorker({ queues: ['busy'], name: 'busy@test' })
      const busy = await celery.sendTask('tasks.wait_for_file', [gate], {}, { queue: 'busy' })
      await untilState(busy, 'STARTED')
      const futures = [await celery.sendTask('tasks.record', [file, 'ran'], {}, { queue: 'busy' }), await celery.sendTask('tasks.record', [file, 'ran'], {}, { queue: 'busy' })] as const

      expect(await futures[0].cancel()).toBe(true)
      await futures[1].revoke()
      touch(gate)

      for (const future of futures) {
        expect(await future.exception(SOON)).toBeInstanceOf(TaskRevokedError)
        expect(await future.state()).toBe('REVOKED')
      }
      expect(await sides.python.run('AsyncResult(id).state', { id: futures[0].id })).toBe('REVOKED')
      expect(linesOf(file)).toEqual([])
    })

    test('ends one that runs', async () => {
      const future = await celery.sendTask('tasks.sleep', [60])
      await untilState(future, 'STARTED')

      expect(await future.cancel(SOON)).toBe(true)
      expect([await future.state(), await future.cancelled()]).toEqual(['REVOKED', true])
      expect(await call('echo', ['alive'])).toBe('alive')
    })

    test('with revoke and terminate ends one that runs', async () => {
      const future = await celery.sendTask('tasks.sleep', [60])
      await untilState(future, 'STARTED')

      await future.revoke({ terminate: true, signal: 'SIGKILL' })

      expect(await future.exception(SOON)).toMatchObject({ name: 'TaskRevokedError', message: expect.stringMatching(/terminated|revoked/) as string })
    })

    test('one that waits to be retried', async () => {
      const future = await celery.sendTask('tasks.wait_to_retry')
      await untilState(future, 'RETRY')

      expect(await future.cancel()).toBe(true)
      expect(await future.state()).toBe('REVOKED')
    })
  })

  describe('what goes along', () => {
    test('the request is what we sent', async () => {
      const future = await celery.sendTask<Record<string, unknown>>('tasks.request', [1, 'zwei'], { x: null }, { queue: 'other', headers: { 'x-tenant': 'acme' } })

      expect(await future.result(SOON)).toMatchObject({
        id: future.id,
        root_id: future.id,
        correlation_id: future.id,
        parent_id: null,
        group: null,
        retries: 0,
        eta: null,
        expires: null,
        timelimit: [null, null],
        shadow: null,
        argsrepr: "(1, 'zwei')",
        kwargsrepr: "{'x': None}",
        tenant: 'acme',
        hostname: 'python@test',
        queue: 'other',
        priority: 0,
        ignore_result: false,
        lang: 'js',
      })
    })

    test('a shadow name is shown', async () => {
      expect(await call('request', [], { shadow: 'pretty' })).toMatchObject({ shadow: 'pretty' })
    })

    test('the id may be ours', async () => {
      expect(await call('request', [], { taskId: 'any text: é' })).toMatchObject({ id: 'any text: é' })
    })

    test('a group of calls is known to its tasks', async () => {
      const request = celery.task({ name: 'tasks.request' }, (..._args: number[]): unknown => undefined)

      const pool = await celery.map(request, [1], [2], [3])

      expect(await pool.result(SOON)).toEqual([0, 1, 2].map((index) => expect.objectContaining({ group: pool.id, group_index: index }) as object))
      await pool.save()
      expect(await sides.python.run('[request["group"] for request in GroupResult.restore(id, app=app).get(timeout=10)]', { id: pool.id })).toEqual([pool.id, pool.id, pool.id])
    })

    test('a task that Python sends from a task is its child', async () => {
      const future = await celery.sendTask<string>('tasks.call_other', ['ours.request', [5], 'ours'])

      const child = celery.get(await future.result(SOON))

      expect(await child.result(SOON)).toMatchObject({ rootId: future.id, parentId: future.id, args: [5] })
      expect((await celery.get(future.id).children()).map(({ id }) => id)).toEqual([child.id])
      expect((await celery.get(child.id).parent())?.id).toBe(future.id)
    })

    test('a task that we send from a task is its child', async () => {
      const future = await celery.sendTask<string>('ours.call_other', ['tasks.request', [5]], {}, { queue: 'ours' })

      const child = celery.get(await future.result(SOON))

      expect(await child.result(SOON)).toMatchObject({ root_id: future.id, parent_id: future.id })
    })

    test('a group that Python sends from a task has children of ours', async () => {
      const future = await celery.sendTask('tasks.call_group', ['ours.power', [[1], [2], [3]], 'ours'])

      await future.result(SOON)
      const children = await celery.get<number>(future.id).children()

      expect(await Promise.all(children.map((child) => child.result(SOON)))).toEqual([1, 4, 9])
    })
  })

  describe('ignoreResult', () => {
    test('of the call stores nothing', async () => {
      const file = sides.file('ignored')

      const future = await celery.sendTask('tasks.record', [file, 'ran'], {}, { ignoreResult: true })

      await expect.poll(() => linesOf(file)).toEqual(['ran'])
      await call('echo', [1])
      // Celery 5.2 notes that it began all the same.
      expect(await celery.get(future.id).state()).toBe(IS_RECENT ? 'PENDING' : 'STARTED')
    })

    test('of the Python task stores nothing with Celery 5.2', async () => {
      const future = await celery.sendTask('tasks.forgetful', [1])

      // Later the call decides, and says that it wants a result.
      if (IS_RECENT) return expect(await future.result(SOON)).toBe(1)
      await call('echo', [1])

      await expect(future.result({ timeout: 0.3 })).rejects.toThrow('still ')
    })
  })

  describe('priorities', () => {
    test('9 is first, then 5 and 0, in the order in which each was sent', async () => {
      const file = sides.file('priorities')
      for (const [index, priority] of [0, 5, 9, 0, 5, 9, 1].entries()) {
        await celery.sendTask('tasks.record', [file, `${priority} as number ${index}`], {}, { queue: 'priorities', priority })
      }

      const worker = await sides.startPythonWorker({ queues: ['priorities'], name: 'priorities@test', pool: 'solo' })

      const order = ['9 as number 2', '9 as number 5', '5 as number 1', '5 as number 4', '1 as number 6', '0 as number 0', '0 as number 3']
      await expect.poll(() => linesOf(file), { timeout: 10_000 }).toEqual(order)
      await worker.stop()
    })

    test('what Python sends by default is as urgent as what we send by default', async () => {
      const file = sides.file('priorities-both')
      for (const round of [1, 2]) {
        await celery.sendTask('tasks.record', [file, `ours ${round}`], {}, { queue: 'equals' })
        await sides.python.run("tasks.record.apply_async((file, f'python {round}'), queue='equals')", { file, round })
      }
      await celery.sendTask('tasks.record', [file, 'urgent'], {}, { queue: 'equals', priority: 1 })
      await sides.python.run("tasks.record.apply_async((file, 'less'), queue='equals', priority=3)", { file })

      const worker = await sides.startPythonWorker({ queues: ['equals'], name: 'equals@test', pool: 'solo' })

      await expect.poll(() => linesOf(file), { timeout: 10_000 }).toEqual(['urgent', 'ours 1', 'python 1', 'ours 2', 'python 2', 'less'])
      await worker.stop()
    })
  })

  describe('encodings', () => {
    test.each(['zlib', 'gzip'] as const)('a body compressed with %s is read', async (compression) => {
      const text = 'é'.repeat(10_000)

      expect(await call('echo', [text], { compression })).toBe(text)
      expect((await sent([text], { compression }))['headers']).toMatchObject({ compression: 'application/x-gzip' })
    })

    test.each(['msgpack', 'yaml'] as const)('a body in %s is read', async (serializer) => {
      const value = [1, 'zwei', 3.5, null, true, { a: [2 ** 40, -1] }]

      expect(await call('echo', [value], { serializer })).toEqual(value)
      expect((await sent([value], { serializer }))['content-type']).toBe(`application/x-${serializer}`)
    })

    test('bytes in msgpack are bytes there', async () => {
      // With result_extended Celery 5.2 cannot store a result beside arguments that are bytes.
      const worker = await sides.startPythonWorker({ queues: ['bytes'], name: 'bytes@test', pool: 'solo', settings: {} })

      expect(await call('describe', [new Uint8Array([0, 255]), 'text'], { serializer: 'msgpack', queue: 'bytes' })).toEqual(['bytes', 'str'])
      await worker.stop()
    })

    /** The envelope that a call makes. */
    async function sent(args: readonly unknown[], options: SendOptions): Promise<Readonly<Record<string, unknown>>> {
      const client = await sides.redis.client()
      await celery.sendTask('tasks.echo', args, {}, { ...options, queue: 'nobody' })
      return JSON.parse((await client.lPop('nobody')) ?? '') as Readonly<Record<string, unknown>>
    }
  })

  describe('values come back as they went', () => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1)

    test.each<[string, unknown]>([
      ['null', null],
      ['booleans', [true, false]],
      ['integers', [0, -1, 2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 63n, -(2n ** 70n)]],
      ['floats', [0.1, -0.5, 1e300, 5e-324]],
      ['what is not finite', [NaN, Infinity, -Infinity]],
      ['text', 'grüße 😀 \u2028 \0 "quoted" \\ </script>'],
      ['a lone surrogate', '\ud83d'],
      ['empty things', ['', [], {}]],
      ['nested lists and objects', { a: [{ b: [[], { c: null }] }] }],
      ['names that JavaScript has a use for', JSON.parse('{"__proto__": 1, "constructor": 2, "toString": [3], "then": 4, "$int": 5, "__type__": 6}') as unknown],
      ['1 MB of text', 'é'.repeat(524_288)],
      ['a long list', Array.from({ length: 20_000 }, (_, index) => index)],
      ['100 levels', deep],
    ])('%s', async (_what, value) => {
      expect(await call('echo', [value])).toEqual(value)
    })

    test('a Date is text with six digits and an offset there, as Python reads it', async () => {
      const date = new Date('2030-01-02T03:04:05.678Z')

      expect(await call('describe', [date])).toEqual(['str'])
      expect(await call('echo', [{ at: [date] }])).toEqual({ at: ['2030-01-02T03:04:05.678000+00:00'] })
    })

    test.each<[string, unknown]>([
      ['a Map', new Map()],
      ['bytes', new Uint8Array(1)],
      ['a function', () => 1],
      ['a symbol', Symbol('x')],
      ['what refers to itself', (() => { const round: unknown[] = []; round.push(round); return round })()],
    ])('%s is refused before it is sent', (_what, value) => {
      expect(() => celery.sendTask('tasks.echo', [value])).toThrow(EncodeError)
    })

    test('types are those of JSON there', async () => {
      expect(await call('describe', [1, 2.5, 2n ** 70n, 'x', null, true, [], {}])).toEqual(['int', 'float', 'int', 'str', 'NoneType', 'bool', 'list', 'dict'])
    })

    test('undefined that is left out at the end leaves the default, and within is null', async () => {
      expect(await call('echo', [undefined])).toBe(null)
      expect(await celery.sendTask('tasks.power', [3, undefined]).result(SOON)).toBe(9)
    })

    test('numbers that Python returns', async () => {
      expect(await call('numbers')).toEqual([2n ** 70n, -(2n ** 63n), NaN, Infinity, -Infinity, 0.1, 1])
    })

    test('what JSON has no form for comes as the text that Celery 5.2 makes of it, and dates as dates from 5.3 on', async () => {
      expect(await call('moments')).toEqual({
        aware: IS_RECENT ? new Date('2030-01-02T03:04:05.678Z') : '2030-01-02T03:04:05.678900Z',
        naive: IS_RECENT ? new Date('2030-01-02T03:04:05Z') : '2030-01-02T03:04:05',
        date: IS_RECENT ? '2030-01-02' : '2030-01-02T00:00:00',
        decimal: '12.50',
        uuid: '00000000-0000-0000-0000-000000000001',
      })
    })
  })

  test('a Python worker has come through all of it', async () => {
    const futures: Future<unknown>[] = []
    for (const n of [1, 2, 3]) futures.push(await celery.sendTask('tasks.power', [n]))

    expect(await Promise.all(futures.map((future) => future.result(SOON)))).toEqual([1, 4, 9])
  })
})

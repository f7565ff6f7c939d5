import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { type BothSides, bothSides, linesOf, touch } from './both-sides.ts'
import { describeInterop, IS_RECENT, type PythonError } from './python-app.ts'

failOnLeftovers()

describeInterop('a Python client whose tasks our worker runs', () => {
  let sides: BothSides

  beforeAll(async () => {
    sides = await bothSides({ conf: { acceptContent: ['json', 'msgpack', 'yaml'], resultExtended: true, taskUnknownDelay: 0.1 } })
    await Promise.all([
      sides.ours.startWorker({ name: 'ours@test', queues: ['celery', 'other'], concurrency: 2 }),
      // For callbacks and for tasks that ours send.
      sides.startPythonWorker({ queues: ['python'] }),
    ])
  })

  afterAll(() => sides.close())

  function python<T = unknown>(code: string, given?: Readonly<Record<string, unknown>>): Promise<T> {
    return sides.python.run<T>(code, given)
  }

  /** Runs code that must raise. */
  async function raised(code: string, given?: Readonly<Record<string, unknown>>): Promise<PythonError> {
    return python(code, given).then(
      (value) => {
        throw new Error(`Expected ${code} to raise, it gave ${JSON.stringify(value)}`)
      },
      (error: PythonError) => error,
    )
  }

  describe('arguments', () => {
    test.each([
      ['by position', 'ours.power.delay(3, 4).get(timeout=10)', 81],
      ['by name', 'ours.power.delay(exponent=4, base=3).get(timeout=10)', 81],
      ['by position and by name', 'ours.power.delay(3, exponent=4).get(timeout=10)', 81],
      ['left to their defaults', 'ours.power.delay(3).get(timeout=10)', 9],
      ['of a call by name alone', "app.send_task('ours.power', (3,), {'exponent': 3}).get(timeout=10)", 27],
      ['of a partial signature', "ours('power', exponent=2).apply_async((5,)).get(timeout=10)", 25],
      ['of apply_async', "ours.power.apply_async((2,), {'exponent': 5}).get(timeout=10)", 32],
    ])('arrive %s', async (_how, code, expected) => {
      expect(await python(code)).toBe(expected)
    })

    test('that the function does not have fail the task with a TypeError', async () => {
      const error = await raised('ours.power.delay(3, colour=4).get(timeout=10)')

      expect(error.type).toBe('TypeError')
      expect(error.message).toContain('colour')
    })
  })

  describe('times', () => {
    test('a countdown is waited for', async () => {
      const [sent, ran] = await python<[number, number]>('sent = time.time()\n[sent, ours.clock.apply_async(countdown=1).get(timeout=10)]')

      expect(ran - sent).toBeGreaterThanOrEqual(0.99)
      expect(ran - sent).toBeLessThan(3)
    })

    test.each([
      ['in UTC', 'datetime.datetime.now(datetime.timezone.utc)'],
      ['without an offset', 'datetime.datetime.utcnow()'],
      ['with another offset', 'datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=5, minutes=30)))'],
    ])('an eta %s is waited for', async (_how, now) => {
      const [due, ran] = await python<[number, number]>(`
        due = time.time() + 0.8
        [due, ours.clock.apply_async(eta=${now} + datetime.timedelta(seconds=0.8)).get(timeout=10)]
      `)

      expect(ran - due).toBeGreaterThanOrEqual(-0.02)
      expect(ran - due).toBeLessThan(2.5)
    })

    test('an eta that has passed means now', async () => {
      expect(await python("ours('echo', 1).apply_async(eta=datetime.datetime(2020, 1, 1)).get(timeout=5)")).toBe(1)
    })

    test('the task sees its eta and its expiry', async () => {
      const [request, eta, expires] = await python<[Record<string, unknown>, number, number]>(`
        eta = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.3)
        expires = eta + datetime.timedelta(hours=1)
        [ours.request.apply_async(eta=eta, expires=expires).get(timeout=10), eta.timestamp(), expires.timestamp()]
      `)

      expect([Date.parse(String(request['eta'])), Date.parse(String(request['expires']))]).toEqual([Math.floor(eta * 1000), Math.floor(expires * 1000)])
    })

    test.each(['60', 'datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)'])('a task that expires later is run (expires=%s)', async (expires) => {
      expect(await python(`ours('echo', 'in time').apply_async(expires=${expires}).get(timeout=10)`)).toBe('in time')
    })

    test.each(['0.2', 'datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=200)'])('a task that expired meanwhile is REVOKED (expires=%s)', async (expires) => {
      const file = sides.file(`expired-${expires.length}`)
      const error = await raised(`result = ours('record', file, 'ran').apply_async(expires=${expires}, countdown=0.5)\nresult.get(timeout=10)`, { file })

      expect([error.type, error.message]).toEqual(['TaskRevokedError', 'TaskRevokedError: expired'])
      expect(await python('result.state')).toBe('REVOKED')
      expect(linesOf(file)).toEqual([])
    })
  })

  describe('after a task', () => {
    test('a callback of ours gets its result', async () => {
      const file = sides.file('link')

      await python("ours.power.apply_async((3,), link=ours('note', file)).get(timeout=10)", { file })

      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('a callback of Python gets its result', async () => {
      const file = sides.file('link-python')

      await python("ours.power.apply_async((3,), link=tasks.note.s(file).set(queue='python')).get(timeout=10)", { file })

      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('each of several callbacks gets its result', async () => {
      const files = ['link-1', 'link-2', 'link-3'].map(sides.file)

      await python(
        `
        callbacks = [ours('note', files[0]), tasks.note.s(files[1]).set(queue='python'), ours('note', files[2])]
        ours.power.apply_async((4,), link=callbacks).get(timeout=10)
      `,
        { files },
      )

      await expect.poll(() => files.map(linesOf)).toEqual([['16'], ['16'], ['16']])
    })

    test('an immutable callback keeps its own arguments', async () => {
      const file = sides.file('link-immutable')

      await python("ours.power.apply_async((3,), link=ours('record', file, 'mine').set(immutable=True)).get(timeout=10)", { file })

      await expect.poll(() => linesOf(file)).toEqual(['mine'])
    })

    test('a callback can have a callback', async () => {
      const file = sides.file('link-link')

      await python("callback = ours('power', 2)\ncallback.link(ours('note', file))\nours.power.apply_async((3, 1), link=callback).get(timeout=10)", { file })

      // 3, then 3 ** 2.
      await expect.poll(() => linesOf(file)).toEqual(['9'])
    })

    test('an errback of ours gets the id of what failed', async () => {
      const file = sides.file('link-error')

      const id = await python("result = ours('fail', 'no').apply_async(link_error=ours('on_failure', file))\nresult.get(timeout=10, propagate=False)\nresult.id", { file })

      await expect.poll(() => linesOf(file)).toEqual([id])
    })

    test('an errback of Python in the old style gets the id of what failed', async () => {
      const file = sides.file('link-error-python')

      const id = await python(
        "result = ours('fail', 'no').apply_async(link_error=tasks.on_failure.s(file=file).set(queue='python'))\nresult.get(timeout=10, propagate=False)\nresult.id",
        { file },
      )

      await expect.poll(() => linesOf(file)).toEqual([id])
    })

    test('the next steps of a chain get the result of the one before', async () => {
      expect(await python("(ours('power', 2) | ours('power', 3) | ours('power')).apply_async().get(timeout=10)")).toBe(4096)
    })

    test('the steps of a chain may be of both languages', async () => {
      expect(await python("(ours('power', 3) | tasks.power.s(2).set(queue='python') | ours('power')).apply_async().get(timeout=10)")).toBe(6561)
    })

    test('a chain ends where a step of ours fails, and who waits for its end learns why', async () => {
      const file = sides.file('chain-failed')
      const error = await raised("(ours('fail', 'no') | ours('record', file, 'ran').set(immutable=True)).apply_async().get(timeout=10)", { file })

      expect([error.type, error.args]).toEqual(['RangeError', ['no']])
      expect(linesOf(file)).toEqual([])
    })

    test('a callback may do no more than the message itself, which is not signed', async () => {
      const file = sides.file('link-code')

      // A function that a module exports, and nobody has registered: only who has the key may name one.
      await python(
        `
        reference = {'t': 'm', 'm': './test/worker/fixtures/tasks.ts', 'p': ['record']}
        callback = signature('fixtures:record', args=(file, 'ran'), immutable=True, options={'task_id': 'link-code', 'headers': {'x-celeriac-function': reference}})
        ours('echo', 1).apply_async(link=callback).get(timeout=10)
      `,
        { file },
      )

      expect((await sides.ours.celery.get('link-code').exception({ timeout: 10 }))?.name).toBe('SecurityError')
      expect(linesOf(file)).toEqual([])
    })

    test('a callback gets what JSON has only in Python, and so does who waits for it', async () => {
      expect(await python("repr((ours('numbers') | tasks.echo.s().set(queue='python') | ours('echo')).apply_async().get(timeout=10))")).toBe(
        `[${2n ** 70n}, ${-(2n ** 63n)}, nan, inf, -inf, 0.1, 1]`,
      )
      expect(await python("repr((ours('numbers') | ours('echo')).apply_async().get(timeout=10))")).toContain('nan, inf')
    })

    test('callbacks are not called when it fails, nor errbacks when it does not', async () => {
      const [wrong, right] = [sides.file('link-wrong'), sides.file('link-right')]

      await python(
        `
        ours('fail', 'no').apply_async(link=ours('record', wrong, 'link').set(immutable=True), link_error=ours('record', right, 'errback').set(immutable=True))
        ours('echo', 1).apply_async(link=ours('record', right, 'link').set(immutable=True), link_error=ours('record', wrong, 'errback').set(immutable=True))
      `,
        { wrong, right },
      )

      await expect.poll(() => linesOf(right).toSorted()).toEqual(['errback', 'link'])
      expect(linesOf(wrong)).toEqual([])
    })
  })

  describe('retries by us', () => {
    test('end with the result', async () => {
      const file = sides.file('flaky')

      expect(await python("ours('flaky', 3, file).delay().get(timeout=10)", { file })).toBe(3)
      expect(linesOf(file)).toEqual(['0', '1', '2', '3'])
    })

    test('are seen as RETRY with their error', async () => {
      const seen = await python<[string, string, string]>(`
        result = ours.wait_to_retry.delay()
        while result.state != 'RETRY': time.sleep(0.02)
        [result.state, type(result.result).__name__, str(result.result)]
      `)

      expect(seen).toEqual(['RETRY', 'OrderError', 'order 1 is later'])
    })

    test('that are used up fail with the error that was given', async () => {
      const error = await raised("ours.give_up.delay(True).get(timeout=10)")

      expect([error.type, error.args]).toEqual(['OrderError', ['order 7 is still closed']])
    })

    test('that are used up without an error fail with MaxRetriesExceededError', async () => {
      const error = await raised("ours.give_up.delay(False).get(timeout=10)")

      expect([error.module, error.type]).toEqual(['celery.exceptions', 'MaxRetriesExceededError'])
    })

    test('keep id, root and headers, and may change the arguments', async () => {
      const [id, first, second] = await python<[string, object, object]>(`
        result = ours.retry_once.apply_async((1,), headers={'x-tenant': 'acme'})
        [result.id, *result.get(timeout=10)]
      `)

      expect(first).toMatchObject({ id, retries: 0, rootId: id, args: [1], headers: { 'x-tenant': 'acme' } })
      expect(second).toEqual({ id, retries: 1, rootId: id, args: [first], kwargs: {}, headers: { 'x-tenant': 'acme' } })
    })
  })

  describe('states', () => {
    test('progress is seen while the task runs', async () => {
      const file = sides.file('progress')
      await python("result = ours('report_until', 'PROGRESS', {'done': 1, 'of': [2]}, file).delay()", { file })

      await expect.poll(() => python('[result.state, result.info]'), { timeout: 5_000 }).toEqual(['PROGRESS', { done: 1, of: [2] }])
      touch(file)
      expect(await python('[result.get(timeout=10), result.state]')).toEqual([file, 'SUCCESS'])
    })

    test('a state of the task is seen while it runs', async () => {
      const file = sides.file('custom')
      await python("result = ours('report_until', 'PAINTING', 'red', file).delay()", { file })

      await expect.poll(() => python('[result.state, result.info]'), { timeout: 5_000 }).toEqual(['PAINTING', 'red'])
      touch(file)
      expect(await python('result.get(timeout=10)')).toBe(file)
    })

    test('each state is told to a client that waits with on_message', async () => {
      const file = sides.file('on-message')
      touch(file)

      const seen = await python<string[]>(
        `
        seen = []
        ours('count_to', 5, file).delay().get(timeout=10, on_message=lambda message: seen.append(f"{message['status']} {message['result']}"))
        seen
      `,
        { file },
      )

      expect(seen.filter((each) => each.startsWith('PROGRESS')).length).toBeGreaterThan(2)
      expect(seen.at(-1)).toBe('SUCCESS 5')
    })

    test('STARTED says which process runs it, and where', async () => {
      const file = sides.file('started')
      await python("result = ours('wait_for_file', file).delay()", { file })

      await expect.poll(() => python('[result.state, result.info]'), { timeout: 5_000 }).toEqual(['STARTED', { pid: expect.any(Number) as number, hostname: 'ours@test' }])
      touch(file)
      await python('result.get(timeout=10)')
    })

    test('the date it was done is one for Python', async () => {
      const [done, now] = await python<[number, number]>(`
        result = ours('echo', 1).delay()
        result.get(timeout=10)
        done = result.date_done
        [done.replace(tzinfo=done.tzinfo or datetime.timezone.utc).timestamp(), time.time()]
      `)

      expect(Math.abs(done - now)).toBeLessThan(2)
    })

    test('what result_extended stores is read', async () => {
      const fields = await python(`
        result = ours.power.apply_async((3,), {'exponent': 2}, queue='other')
        result.get(timeout=10)
        [result.name, result.args, result.kwargs, result.worker, result.retries, result.queue]
      `)

      expect(fields).toEqual(['ours.power', [3], { exponent: 2 }, 'ours@test', 0, 'other'])
    })

    test('forget removes the result', async () => {
      expect(await python("result = ours('echo', 1).delay()\nresult.get(timeout=10)\nresult.forget()\nAsyncResult(result.id).state")).toBe('PENDING')
    })

    test('is known to who has only the id', async () => {
      const id = await python<string>("result = ours('echo', [1]).delay()\nresult.get(timeout=10)\nresult.id")

      expect(await sides.ours.celery.get(id).result({ timeout: 5 })).toEqual([1])
      expect(await python('[AsyncResult(id).state, AsyncResult(id).get(timeout=5)]', { id })).toEqual(['SUCCESS', [1]])
    })
  })

  describe('failures', () => {
    test('have the class, the text and the stack of ours', async () => {
      const [type, args, trace] = await python<[string, string[], string]>(`
        result = ours('fail', 'grüße 😀').delay()
        error = result.get(timeout=10, propagate=False)
        [type(error).__name__, error.args, result.traceback]
      `)

      expect([type, args]).toEqual(['RangeError', ['grüße 😀']])
      expect(trace).toContain('tasks.ts')
    })

    test('can be caught as Exception, and by their class', async () => {
      expect(await python(`
        try:
            ours('fail', 'no').delay().get(timeout=10)
        except Exception as error:
            caught = type(error).__name__
        caught
      `)).toBe('RangeError')
    })

    test('of a class of our own have its name and text', async () => {
      const error = await raised("ours('fail_with_several', 7, 'closed').delay().get(timeout=10)")

      expect([error.type, error.args]).toEqual(['OrderError', ['order 7 is closed']])
    })

    test('with a cause are those of the outer error', async () => {
      const error = await raised('ours.fail_chained.delay().get(timeout=10)')

      expect([error.type, error.args]).toEqual(['TypeError', ['outer']])
    })

    test('with something that is no error are an error with its text', async () => {
      const error = await raised('ours.throw_text.delay().get(timeout=10)')

      expect(error.message).toContain('just text')
    })

    test('to encode the result are EncodeError', async () => {
      expect((await raised('ours.return_unsendable.delay().get(timeout=10)')).type).toBe('EncodeError')
    })

    test('of the process are WorkerLostError', async () => {
      const error = await raised('ours.die.delay().get(timeout=20)')

      expect(error.type).toBe('WorkerLostError')
    })
  })

  describe('a task that nobody knows', () => {
    test('fails with NotRegistered after it was offered again, and its message is kept', async () => {
      const error = await raised("result = app.send_task('ours.nobody', (1,))\nresult.get(timeout=10)")

      expect([error.module, error.type]).toEqual(['celery.exceptions', 'NotRegistered'])
      const id = await python<string>('result.id')
      const broker = await sides.ours.broker()
      const letters = await broker.deadLetters()
      expect(letters.find(({ message }) => message?.headers['id'] === id)).toMatchObject({ reason: 'unknown-task', queue: 'celery' })
      expect(await python('ours.power.delay(2).get(timeout=10)')).toBe(4)
    })
  })

  describe('revoking', () => {
    test.each([
      ['one', 'app.control.revoke(results[0].id)\napp.control.revoke(results[1].id)'],
      ['several at once', 'app.control.revoke([result.id for result in results])'],
      ['a result', 'for result in results: result.revoke()'],
    ])('%s before it starts', async (how, revoke) => {
      const [gate, file] = [sides.file(`gate-${how}`), sides.file(`revoked-${how}`)]
      const queue = `revoke-${how.replaceAll(' ', '-')}`
      await sides.ours.startWorker({ queues: [queue], name: `${queue}@test` })
      await python(
        `
        busy = ours('wait_for_file', gate).apply_async(queue=queue)
        while busy.state == 'PENDING': time.sleep(0.02)
        results = [ours('record', file, 'ran').apply_async(queue=queue) for _ in range(2)]
        ${revoke.replaceAll('\n', '\n        ')}
      `,
        { gate, file, queue },
      )

      const told = python("[type(result.get(timeout=10, propagate=False)).__name__ for result in results]")
      // It may take effect at once or when the task's turn comes.
      touch(gate)

      expect(await told).toEqual(['TaskRevokedError', 'TaskRevokedError'])
      expect(await python('[result.state for result in results]')).toEqual(['REVOKED', 'REVOKED'])
      expect(linesOf(file)).toEqual([])
    })

    test.each(['SIGTERM', 'SIGKILL'])('with terminate and %s ends a task that runs', async (signal) => {
      const error = await raised(
        `
        result = ours('sleep', 60).delay()
        while result.state != 'STARTED': time.sleep(0.02)
        result.revoke(terminate=True, signal=signal)
        result.get(timeout=10)
      `,
        { signal },
      )

      expect([error.type, error.message]).toEqual(['TaskRevokedError', expect.stringMatching(/terminated|revoked/)])
    })
  })

  describe('groups', () => {
    test('are answered in their order', async () => {
      expect(await python("group(ours('power', n) for n in range(8)).apply_async().get(timeout=10)")).toEqual([0, 1, 4, 9, 16, 25, 36, 49])
    })

    test('are known to their tasks', async () => {
      const [id, requests] = await python<[string, { groupId: string }[]]>(`
        result = group(ours('request', n) for n in range(3)).apply_async()
        [result.id, result.get(timeout=10)]
      `)

      expect(requests.map(({ groupId }) => groupId)).toEqual([id, id, id])
    })

    test('have their members when ours retries one', async () => {
      expect(await python("group(ours('flaky', n) for n in range(3)).apply_async().get(timeout=10)")).toEqual([0, 1, 2])
    })

    test('that Python saved are restored, and read by ours too', async () => {
      // A Python process that still has the first result never hears of a second one with the same ids.
      const id = await python<string>(`
        import gc
        result = group(ours('power', n) for n in range(4)).apply_async()
        result.save()
        group_id = result.id
        del result
        gc.collect()
        group_id
      `)

      expect(await python('GroupResult.restore(id, app=app).get(timeout=10)', { id })).toEqual([0, 1, 4, 9])
      expect(await sides.ours.celery.getPool(id).result({ timeout: 10 })).toEqual([0, 1, 4, 9])
    })

    test('with a failure say which', async () => {
      const states = await python(`
        result = group(ours('echo', 1), ours('fail', 'no'), ours('echo', 3)).apply_async()
        values = result.get(timeout=10, propagate=False)
        [values[0], type(values[1]).__name__, values[2], result.failed(), result.completed_count()]
      `)

      expect(states).toEqual([1, 'RangeError', 3, true, 2])
    })
  })

  describe('what goes along', () => {
    test('the request is what Python sent', async () => {
      const [id, request] = await python<[string, object]>(`
        result = ours.request.apply_async((1, 'two'), queue='other', headers={'x-tenant': 'acme', 'x-depth': {'a': [1]}})
        [result.id, result.get(timeout=10)]
      `)

      expect(request).toMatchObject({
        id,
        name: 'ours.request',
        args: [1, 'two'],
        kwargs: {},
        retries: 0,
        rootId: id,
        parentId: null,
        groupId: null,
        hostname: 'ours@test',
        queue: 'other',
        headers: { 'x-tenant': 'acme', 'x-depth': { a: [1] } },
        eta: null,
        expires: null,
      })
    })

    test.each([
      ['a shadow name', "shadow='pretty'"],
      ['time limits', 'time_limit=30, soft_time_limit=20.5'],
      ['no retry of the sending', 'retry=False'],
      ['an argsrepr', "argsrepr='secret'"],
      ['a transient delivery mode', 'delivery_mode=1'],
      ['an option that nobody knows', 'colour=7'],
      ['a reply_to', "reply_to='somewhere'"],
    ])('%s does no harm', async (_what, option) => {
      expect(await python(`ours('echo', 1).apply_async(${option}).get(timeout=10)`)).toBe(1)
    })

    test('the id may be the sender\'s', async () => {
      expect(await python("ours('request').apply_async(task_id='any text: é').get(timeout=10)['id']")).toBe('any text: é')
    })

    test('a task that we send from a task is its child: root and parent are known to Python', async () => {
      const [id, child] = await python<[string, object]>(`
        result = ours('call_other', 'tasks.request', [5], 'python').delay()
        [result.id, AsyncResult(result.get(timeout=10)).get(timeout=10)]
      `)

      expect(child).toMatchObject({ root_id: id, parent_id: id })
    })

    test('a task that Python sends from a task is its child: root and parent are known to us', async () => {
      const [id, child] = await python<[string, object]>(`
        result = tasks.call_other.apply_async(('ours.request', [5]), queue='python')
        [result.id, AsyncResult(result.get(timeout=10)).get(timeout=10)]
      `)

      expect(child).toMatchObject({ rootId: id, parentId: id, args: [5] })
    })

    test('a route of Python decides on the queue', async () => {
      const queue = await python(`
        app.conf.task_routes = {'ours.request': {'queue': 'other'}}
        app.amqp.flush_routes()
        app.amqp.__dict__.pop('router', None)
        try:
            found = ours.request.delay().get(timeout=10)['queue']
        finally:
            app.conf.task_routes = None
            app.amqp.flush_routes()
            app.amqp.__dict__.pop('router', None)
        found
      `)

      expect(queue).toBe('other')
    })

    test('a queue that Python declares as of a named exchange is consumed', async () => {
      expect(await python(`
        from kombu import Exchange, Queue
        app.send_task('ours.echo', (1,), queue=Queue('other', Exchange('named', 'direct'), routing_key='by-key')).get(timeout=10)
      `)).toBe(1)
    })
  })

  describe('what a task has sent', () => {
    test('is among its children, and its parent is known', async () => {
      const [id, child, children, parent] = await python<string[]>(`
        result = ours('call_other', 'ours.echo', [5], 'other').delay()
        child = AsyncResult(result.get(timeout=10))
        child.get(timeout=10)
        [result.id, child.id, [each.id for each in result.children], child._get_task_meta()['parent_id']]
      `)

      expect([children, parent]).toEqual([[child], id])
    })

    test('after it is found by collect', async () => {
      const values = await python(`
        result = ours('power', 2).apply_async(link=ours('power', 2))
        result.get(timeout=10)
        while not result.children or not result.children[0].ready(): time.sleep(0.02); result._cache = None
        [value for _, value in result.collect()]
      `)

      expect(values).toEqual([4, 16])
    })
  })

  describe('protocol 1', () => {
    test.each([
      ['a call', 'ours.power.delay(3, 4).get(timeout=10)', 81],
      ['options', "ours.power.apply_async((3,), {'exponent': 4}, countdown=0.2, expires=60).get(timeout=10)", 81],
      ['a chain', "(ours('power', 2) | ours('power', 3)).apply_async().get(timeout=10)", 64],
      ['a group', "group(ours('power', n) for n in range(3)).apply_async().get(timeout=10)", [0, 1, 4]],
      ['a retry', "ours('flaky', 2).delay().get(timeout=10)", 2],
      ['a failure', "type(ours('fail', 'no').delay().get(timeout=10, propagate=False)).__name__", 'RangeError'],
    ])('is read: %s', async (_what, code, expected) => {
      const value = await python(`
        app.conf.task_protocol = 1
        app.amqp.__dict__.pop('create_task_message', None)
        try:
            value = ${code}
        finally:
            app.conf.task_protocol = 2
            app.amqp.__dict__.pop('create_task_message', None)
        value
      `)

      expect(value).toEqual(expected)
    })

    test('has nothing in the headers, as was meant here', async () => {
      const headers = await python(`
        app.conf.task_protocol = 1
        app.amqp.__dict__.pop('create_task_message', None)
        ours('power', 2).apply_async(queue='unread')
        app.conf.task_protocol = 2
        app.amqp.__dict__.pop('create_task_message', None)
        json.loads(app.backend.client.lpop('unread'))['headers']
      `)

      expect(headers).toEqual({})
    })
  })

  describe('ignore_result', () => {
    test('of the call stores nothing', async () => {
      const file = sides.file('ignored')

      await python("result = ours('record', file, 'ran').apply_async(ignore_result=True)", { file })

      await expect.poll(() => linesOf(file)).toEqual(['ran'])
      await python('ours.power.delay(1).get(timeout=10)')
      expect(await python('AsyncResult(result.id).state')).toBe('PENDING')
    })

    test('of the task, which Python does not know of, stores nothing when the call says so too', async () => {
      await python("result = ours('forgetful', 1).apply_async(ignore_result=True)\nours.power.delay(1).get(timeout=10)")

      expect(await python('AsyncResult(result.id).state')).toBe('PENDING')
    })
  })

  describe('priorities', () => {
    test('0 is first, then 3, 6 and 9, in the order in which each was sent', async () => {
      const file = sides.file('priorities')
      await python(
        `
        for priority in (9, 6, 3, 0, 9, 6, 3, 0, 5):
            ours('record', file, str(priority)).apply_async(queue='priorities', priority=priority)
      `,
        { file },
      )

      await sides.ours.startWorker({ queues: ['priorities'], name: 'priorities@test' })

      await expect.poll(() => linesOf(file), { timeout: 10_000 }).toEqual(['0', '0', '3', '3', '5', '6', '6', '9', '9'])
    })
  })

  describe('encodings', () => {
    test.each(['zlib', 'gzip'])('a body compressed with %s is read', async (compression) => {
      expect(await python('ours("echo", text).apply_async(compression=compression).get(timeout=10)', { text: 'é'.repeat(10_000), compression })).toBe('é'.repeat(10_000))
    })

    test.each(['bzip2', 'lzma'])('a body compressed with %s is refused with a reason, and kept', async (compression) => {
      const error = await raised('result = ours("echo", 1).apply_async(compression=compression)\nresult.get(timeout=10)', { compression })

      expect(error.message).toMatch(/compress/i)
      expect(await deadReason(await python<string>('result.id'))).toBe('malformed')
    })

    test.each([
      ['msgpack', '[1, "zwei", 3.5, None, True, {"a": [2**40, -1]}]'],
      ['yaml', '[1, "zwei", 3.5, None, True, {"a": [2**40, -1]}]'],
    ])('a body in %s is read', async (serializer, value) => {
      expect(await python(`ours('echo', ${value}).apply_async(serializer=serializer).get(timeout=10) == ${value}`, { serializer })).toBe(true)
    })

    test('bytes in msgpack are bytes here', async () => {
      expect(await python("ours('describe', b'\\x00\\xff', 'text').apply_async(serializer='msgpack').get(timeout=10)")).toEqual(['Uint8Array', 'String'])
    })

    test('pickle is refused with a reason, and kept', async () => {
      const error = await raised("result = ours('echo', 1).apply_async(serializer='pickle')\nresult.get(timeout=10)")

      expect(error.type).toBe('DecodeError')
      expect(error.message).toMatch(/pickle/)
      expect(await deadReason(await python<string>('result.id'))).toBe('malformed')
    })
  })

  describe('values come back as they went', () => {
    test.each([
      ['None', 'None'],
      ['booleans', '[True, False]'],
      ['integers', '[0, -1, 2**53, 2**53 + 1, 2**63, -2**70]'],
      ['floats', '[0.1, -0.5, 1e300, 5e-324]'],
      ['infinities', "[float('inf'), float('-inf')]"],
      ['text', "'grüße 😀 \\u2028 \\x00 \"quoted\" \\\\ </script>'"],
      ['a lone surrogate', "'\\ud83d'"],
      ['empty things', "['', [], {}]"],
      ['nested lists and dicts', "{'a': [{'b': [[], {'c': None}]}]}"],
      ['names that JavaScript has a use for', "{'__proto__': 1, 'constructor': 2, 'toString': [3], 'then': 4, '$int': 5, '__type__': 6}"],
      ['1 MB of text', "'é' * 524288"],
      ['a long list', 'list(range(20000))'],
      ['100 levels', '__import__("functools").reduce(lambda inner, _: [inner], range(100), 1)'],
    ])('%s', async (_what, value) => {
      expect(await python(`ours.echo.delay(${value}).get(timeout=15) == ${value}`)).toBe(true)
    })

    test.each([
      ['NaN', "float('nan')", 'nan'],
      ['a float without a fraction, as an integer', '2.0', '2'],
      ['a tuple, as a list', '(1, (2,))', '[1, [2]]'],
      ['keys that are numbers, as text', '{1: 2}', "{'1': 2}"],
      ['a datetime, as ISO text', 'datetime.datetime(2030, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)', IS_RECENT ? "'2030-01-02T03:04:05.678000+00:00'" : "'2030-01-02T03:04:05.678000Z'"],
      ['a Decimal, as text', "decimal.Decimal('12.50')", "'12.50'"],
      ['a UUID, as text', 'uuid.UUID(int=1)', "'00000000-0000-0000-0000-000000000001'"],
    ])('%s', async (_what, value, expected) => {
      expect(await python(`repr(ours.echo.delay(${value}).get(timeout=10))`)).toBe(expected)
    })

    test('a Date that we return is text that Python reads', async () => {
      expect(await python("datetime.datetime.fromisoformat(ours.date.delay().get(timeout=10)).timestamp()")).toBe(Date.parse('2030-01-02T03:04:05.678Z') / 1000)
    })

    test('numbers that we return', async () => {
      expect(await python('repr(ours.numbers.delay().get(timeout=10))')).toBe(`[${2n ** 70n}, ${-(2n ** 63n)}, nan, inf, -inf, 0.1, 1]`)
    })

    test('types are those of JSON here', async () => {
      expect(await python("ours.describe.delay(1, 2.5, 2**70, 'x', None, True, [], {}).get(timeout=10)")).toEqual(['Number', 'Number', 'BigInt', 'String', 'null', 'Boolean', 'Array', 'Object'])
    })
  })

  async function deadReason(id: string): Promise<string | undefined> {
    const broker = await sides.ours.broker()
    const letters = await broker.deadLetters()
    return letters.find(({ message }) => message?.headers['id'] === id)?.reason
  }
})

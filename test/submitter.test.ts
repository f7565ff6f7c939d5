import { beforeEach, describe, expect, test } from 'vitest'

import type { Publication } from '../src/broker.ts'
import { Codec } from '../src/codec.ts'
import { type Config, loadConfig } from '../src/config/config.ts'
import { runAsCurrentTask, type CurrentTask } from '../src/current.ts'
import { EncodeError, InvalidTaskError, kw, OperationalError, TaskRevokedError, UnreachableFunctionError } from '../src/index.ts'
import { TypeRegistry } from '../src/graph/types.ts'
import { Submitter } from '../src/submitter.ts'
import { ROOT } from './support/application.ts'
import { TestSource, wireError } from './support/result-source.ts'
import { turn } from './support/within.ts'
import byDefault, { Accounts, add, echo } from './worker/fixtures/tasks.ts'

let submitter: Submitter
let source: TestSource
let calls = 0
/** What was sent, one list for each time. */
let sent: (readonly Publication[])[]
let accept: () => Promise<void>
let conf: Config

beforeEach(() => {
  source = new TestSource()
  sent = []
  accept = () => Promise.resolve()
  conf = loadConfig({ options: { root: ROOT, brokerUrl: 'memory:' }, env: {} })
  submitter = new Submitter({
    conf,
    root: ROOT,
    clock: source.clock,
    codec: new Codec({ conf, root: ROOT, clock: source.clock, types: new TypeRegistry() }),
    source,
    origin: 'gen1@test',
    replyTo: 'reply',
    publish: (publications) => {
      sent.push(publications)
      return accept()
    },
  })
})

describe('submit', () => {
  test('sends a Celery message that says where the function is', async () => {
    const future = await submitter.submit(add, 1, 2)

    expect(only().queue).toBe('celery')
    expect(callOf(only())).toEqual([[1, 2], {}])
    expect(only().message.headers).toMatchObject({
      id: future.id,
      task: 'test/worker/fixtures/tasks:add',
      root_id: future.id,
      parent_id: null,
      origin: 'gen1@test',
      'x-celeriac-function': { t: 'm', m: './test/worker/fixtures/tasks.ts', p: ['add'] },
    })
  })

  test.each([
    ['a default export', byDefault, ['default']],
    ['a static method', Accounts.close, ['Accounts', 'close']],
  ])('finds %s', async (_what, fn, path) => {
    await submitter.submit(fn as (argument: string) => unknown, 'x')

    expect(only().message.headers['x-celeriac-function']).toMatchObject({ p: path })
  })

  test('knows the id before anything is sent, and resolves when it is accepted', async () => {
    const accepted = Promise.withResolvers<void>()
    accept = () => accepted.promise
    let settled = false

    const submitted = submitter.submit(add, 1, 2)
    void submitted.then(() => (settled = true))
    await turn()
    expect(submitted.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(settled).toBe(false)

    accepted.resolve()
    expect((await submitted).id).toBe(submitted.id)
  })

  test('rejects when the broker refuses, and nobody has to listen', async () => {
    accept = () => Promise.reject(new OperationalError('unreachable'))

    const ignored = submitter.submit(add, 1, 2)
    await turn()

    await expect(ignored).rejects.toThrow('unreachable')
    await expect(submitter.submit(add, 1, 2).result()).rejects.toThrow(OperationalError)
  })

  test('leaves out arguments at the end that are undefined', async () => {
    await submitter.submit(add, 1, undefined)

    expect(callOf(only())).toEqual([[1], {}])
  })

  test('sends keywords as kwargs', async () => {
    await submitter.submit(add, 1, kw({ b: 2 }))

    expect(callOf(only())).toEqual([[1], { b: 2 }])
  })

  test.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    ['a keyword that the function does not have', () => submitter.submit(add, 1, kw({ c: 2 })), InvalidTaskError, /unexpected keyword argument 'c'/],
    ['an argument given twice', () => submitter.submit(add, 1, kw({ a: 2 })), InvalidTaskError, /multiple values/],
    ['what is no function', () => submitter.submit('add' as never), InvalidTaskError, /function/],
    ['a function that loses what it does', () => submitter.submit(() => void calls++), UnreachableFunctionError, /"calls"/],
    ['a class', () => submitter.submit(Accounts as never), InvalidTaskError, /class/],
    ['an argument that cannot travel', () => submitter.submit(echo, { deep: [Promise.resolve()] }), EncodeError, /args\[0\]\.deep\[0\]/],
    ['an unknown option', () => submitter.with({ quue: 'x' } as never), InvalidTaskError, /quue/],
    ['an eta that is no date', () => submitter.with({ eta: new Date('never') }).submit(add, 1), InvalidTaskError, /eta/],
    ['a header that is the protocol’s', () => submitter.with({ headers: { task: 'x' } }).submit(add, 1), EncodeError, /headers\.task/],
    ['a gap before a keyword', () => submitter.submit(add as (a: number, b?: number) => number, kw({ b: 2 })), InvalidTaskError, /missing the argument 'a'/],
    ['keywords before other arguments', () => submitter.submit(add as never, kw({ a: 2 }), 1), InvalidTaskError, /last argument/],
    ['a nearly right option', () => submitter.apply(add, { arg: [1] } as never), InvalidTaskError, /did you mean "args"/],
    ['text for arguments', () => submitter.apply(add, { args: 'abc' as never }), InvalidTaskError, /"args" must be an array/],
    ['a number for arguments', () => submitter.apply(add, { args: 1 as never }), InvalidTaskError, /"args" must be an array/],
    ['text for the arguments of a name', () => submitter.sendTask('x', 'abc' as never), InvalidTaskError, /sendTask takes the arguments as an array/],
    ['an eta that is no date, already when it is given', () => submitter.with({ eta: 'tomorrow' }), InvalidTaskError, /"eta"/],
    ['more than a worker would read', () => submitter.submit(echo, 'é'.repeat(9 * 1024 * 1024)), EncodeError, /takes 188\d+ bytes, more than the 16777216 .*path of a file/],
    ['a name that is empty', () => submitter.sendTask('', [], {}, {}), InvalidTaskError, /name/],
  ])('refuses %s before anything is sent', (_what, call, type, message) => {
    expect(call).toThrow(type)
    expect(call).toThrow(message)
    expect(sent).toEqual([])
  })
})

describe('options', () => {
  test('are all in the message', async () => {
    const timing = { expires: 60, countdown: '10s' }
    const options = { queue: 'high', priority: 7, taskId: 'own-id', shadow: 'shown', headers: { tenant: 'a' }, ignoreResult: true }

    const future = await submitter.with({ ...options, ...timing }).submit(add, 1, 2)

    const now = source.clock.now()
    expect(future.id).toBe('own-id')
    expect(only()).toMatchObject({ queue: 'high', priority: 7, dueAtMs: now + 10_000 })
    expect(only().message.headers).toMatchObject({ id: 'own-id', shadow: 'shown', tenant: 'a', ignore_result: true })
    expect(Date.parse(only().message.headers['expires'] as string)).toBe(now + 60_000)
    expect(Date.parse(only().message.headers['eta'] as string)).toBe(now + 10_000)
    expect(only().message.properties).toMatchObject({ priority: 7, delivery_info: { exchange: '', routing_key: 'high' } })
  })

  test('that are the defaults change nothing', async () => {
    const ids = [await submitter.submit(add, 1, 2), await submitter.apply(add, { args: [1, 2], queue: 'celery', priority: 0 })].map(({ id }) => id)

    const [plain, spelt] = sent.flat().map(({ message: { body, contentEncoding, contentType, headers, properties } }, index) => {
      const [id = ''] = ids.slice(index)
      return JSON.stringify({ body, contentEncoding, contentType, headers: { ...headers, 'x-celeriac-signature': '' }, properties }).replaceAll(id, 'id')
    })
    expect(plain).toBe(spelt)
  })

  test('that the configuration gives hold from then on', async () => {
    await submitter.submit(add, 1, 2)
    conf.update({ taskDefaultQueue: 'other', taskDefaultPriority: 3, taskIgnoreResult: true })
    await submitter.submit(add, 1, 2)

    const [, publication] = sent.flat()
    expect(publication).toMatchObject({ queue: 'other', priority: 3 })
    expect(publication?.message.headers).toMatchObject({ ignore_result: true })
    expect(publication?.message.properties).toMatchObject({ priority: 3, delivery_info: { routing_key: 'other' } })
  })

  test('given later win over those given before', async () => {
    await submitter.with({ queue: 'first', priority: 1 }).with({ queue: 'second' }).apply(add, { args: [1], priority: 3 })

    expect(only()).toMatchObject({ queue: 'second', priority: 3 })
  })

  test.each([
    ['a date', new Date(Date.UTC(2030, 0, 1))],
    ['text with an offset', '2030-01-01T02:00:00+02:00'],
    ['text without one, in UTC', '2030-01-01T00:00:00'],
  ])('take an eta as %s', async (_what, eta) => {
    await submitter.with({ eta }).submit(add, 1)

    expect(only().dueAtMs).toBe(Date.UTC(2030, 0, 1))
  })

  test.each([[0], [-5], ['0s']])('take a countdown of %j as now', async (countdown) => {
    await submitter.with({ countdown }).submit(add, 1)

    expect(only().dueAtMs).toBeUndefined()
    expect(only().message.headers['eta']).toBeNull()
  })
})

describe('map', () => {
  test('sends one message for each list, all together, as one group', async () => {
    const pool = await submitter.map(add, [1, 2], [3, 4])

    expect(sent).toHaveLength(1)
    expect(sent[0]?.map(callOf)).toEqual([[[1, 2], {}], [[3, 4], {}]])
    expect(sent[0]?.map(({ message }) => [message.headers['group'], message.headers['group_index']])).toEqual([[pool.id, 0], [pool.id, 1]])
    expect([...pool].map(({ id }) => id)).toEqual(sent[0]?.map(({ message }) => message.headers['id']))
  })

  test('takes an iterable or an async iterable of lists, in batches', async () => {
    const pool = await submitter.map(add, counted(1_200))
    expect(pool.length).toBe(1_200)
    expect(sent.map((batch) => batch.length)).toEqual([500, 500, 200])

    expect((await submitter.map(add, asyncCounted(3))).length).toBe(3)
  })

  test('refuses one array of arrays, unless the function takes one argument or it comes from an iterator', async () => {
    const lists: [number, number][] = [[1, 2], [3, 4]]

    await expect(submitter.map(add, lists as never)).rejects.toThrow(InvalidTaskError)
    await expect(submitter.map(add, lists as never)).rejects.toThrow(/spread it: map\(add, \.\.\.lists\), or give an iterator: map\(add, lists\.values\(\)\)/)
    expect(sent).toEqual([])

    expect((await submitter.map(add, lists.values())).length).toBe(2)
    expect((await submitter.map(echo, [[1, 2]])).length).toBe(1)
  })

  test('takes keywords of one call', async () => {
    await submitter.map(add, [1, kw({ b: 2 })], [3, 4])

    expect(sent[0]?.map(callOf)).toEqual([[[1], { b: 2 }], [[3, 4], {}]])
  })

  test('gives its keywords to every call', async () => {
    await submitter.map(add, [1], [3], kw({ b: 2 }))

    expect(sent[0]?.map(callOf)).toEqual([[[1], { b: 2 }], [[3], { b: 2 }]])
  })

  test('of no lists is an empty pool that is done', async () => {
    const pool = await submitter.map(add)

    expect(sent).toEqual([])
    expect(await pool.result()).toEqual([])
  })

  test('refuses an argument that is in no list, and keywords that do not fit', async () => {
    await expect(submitter.map(add, [1], 2 as never)).rejects.toThrow(/number 2 is no list/)
    await expect(submitter.map(add, [1], kw({ a: 2 }))).rejects.toThrow(/multiple values/)
    expect(sent).toEqual([])
  })
})

test('a task that is sent by a running task names it as its parent, and has its root', async () => {
  const parent = { id: 'parent', rootId: 'root' } as CurrentTask

  await runAsCurrentTask(parent, () => submitter.submit(add, 1, 2))

  expect(only().message.headers).toMatchObject({ parent_id: 'parent', root_id: 'root' })
})

test('a task is sent by name with what the caller gives', async () => {
  const future = await submitter.sendTask('proj.add', [1], { y: 2 }, { queue: 'python' })

  expect(only()).toMatchObject({ queue: 'python', message: { headers: { task: 'proj.add', id: future.id } } })
  expect(only().message.headers).not.toHaveProperty('x-celeriac-function')
})

test('a name is all that sending by name needs', async () => {
  await submitter.with({ queue: 'python' }).sendTask('proj.add')

  expect(only()).toMatchObject({ queue: 'python', message: { headers: { task: 'proj.add' } } })
})

test('nobody waits for a task that keeps no result, and its cancellation can be seen', async () => {
  const future = await submitter.with({ ignoreResult: true }).submit(add, 1, 2)
  const pool = await submitter.with({ ignoreResult: true }).map(add, [1, 2])

  for (const wait of [() => future.result(), () => future.exception(), () => future.get(), () => pool.result(), () => pool.settled(), () => future.progress().next(), () => pool.asCompleted().next()]) {
    await expect(wait()).rejects.toThrow(InvalidTaskError)
    await expect(wait()).rejects.toThrow(/was sent with "ignoreResult"/)
  }
  const told = Promise.withResolvers<unknown>()
  source.reportError = told.resolve
  future.addDoneCallback(() => told.resolve('called'))
  expect(await told.promise).toBeInstanceOf(InvalidTaskError)

  await source.put(future.id, 'STARTED')
  source.onRevoke = (id) => void source.put(id, 'REVOKED', wireError('TaskRevokedError', 'terminated', 'celery.exceptions'))
  expect(await future.cancel()).toBe(true)
  await expect(future.result()).rejects.toThrow(TaskRevokedError)
})

/** The one message that was sent. */
function only(): Publication {
  expect(sent).toHaveLength(1)
  expect(sent[0]).toHaveLength(1)
  return sent[0]?.[0] as Publication
}

/** Arguments and keywords of a message. */
function callOf({ message }: Publication): unknown[] {
  return (JSON.parse(message.body as string) as unknown[]).slice(0, 2)
}

function* counted(count: number): Generator<[number]> {
  for (let each = 0; each < count; each++) yield [each]
}

async function* asyncCounted(count: number): AsyncGenerator<[number]> {
  yield* counted(count)
}

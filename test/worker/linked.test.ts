import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Codec } from '../../src/codec.ts'
import type { Celery, Signature, SignatureOptions } from '../../src/index.ts'
import { decodeEnvelope } from '../../src/protocol/envelope.ts'
import { buildTaskMessage, type Message } from '../../src/protocol/message.ts'
import { decodeResultMeta } from '../../src/protocol/result.ts'
import { readTaskMessage } from '../../src/protocol/task-request.ts'
import { SIGNATURE_HEADER } from '../../src/signing/key-ring.ts'
import { retryMessage } from '../../src/worker/retry.ts'
import { type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as linked from './fixtures/linked.ts'

failOnLeftovers()

let application: TestApplication
let celery: Celery

beforeAll(async () => {
  application = testApplication({ taskMaxDeliveries: 1 })
  celery = application.celery
  await application.startWorker({ conf: { include: ['./test/worker/fixtures/linked.ts', './test/worker/fixtures/linked-tasks.ts'] } })
})

afterAll(() => application.close())

describe('link', () => {
  test('calls a task with the result before its own arguments', async () => {
    const link = signature('tasks.add', [10], {}, { taskId: crypto.randomUUID() })

    const future = await celery.with({ link }).submit(linked.add, 2, 3)

    expect(await future.result()).toBe(5)
    expect(await celery.get(idOf(link)).result()).toBe(15)
    expect(decodeResultMeta(await metaOf(future.id)).children).toEqual([idOf(link)])
    expect(decodeResultMeta(await metaOf(idOf(link))).parentId).toBe(future.id)
  })

  test('leaves the arguments of an immutable signature alone', async () => {
    const link = signature('tasks.add', [1, 1], {}, { taskId: crypto.randomUUID(), immutable: true })

    await celery.with({ link }).submit(linked.add, 2, 3).result()

    expect(await celery.get(idOf(link)).result()).toBe(2)
  })

  test('calls each of several, in a group', async () => {
    const links = [10, 20].map((own) => signature('tasks.add', [own], {}, { taskId: crypto.randomUUID() }))

    await celery.with({ link: links }).submit(linked.add, 2, 3).result()

    expect(await Promise.all(links.map((link) => celery.get(idOf(link)).result()))).toEqual([15, 25])
    const [one, two] = await Promise.all(links.map(async (link) => decodeResultMeta(await metaOf(idOf(link))).groupId))
    expect(one).toBeDefined()
    expect(one).toBe(two)
  })

  test('goes on from link to link', async () => {
    const last = signature('tasks.add', [100], {}, { taskId: crypto.randomUUID() })
    const link = signature('tasks.add', [10], {}, { link: last })

    await celery.with({ link }).submit(linked.add, 2, 3).result()

    expect(await celery.get(idOf(last)).result()).toBe(115)
  })

  test('passes on a result that JSON cannot hold', async () => {
    const link = signature('tasks.entries', [], {}, { taskId: crypto.randomUUID() })

    await celery.with({ link }).submit(linked.aMap).result()

    expect(await celery.get(idOf(link)).result()).toEqual([['one', 1]])
  })

  test('is not called when the task fails', async () => {
    const link = signature('tasks.add', [10], {}, { taskId: crypto.randomUUID() })
    const linkError = signature('tasks.describe', [], {}, { taskId: crypto.randomUUID() })

    await celery.with({ link, linkError }).submit(linked.fail, 'no')
    await celery.get(idOf(linkError)).result()

    expect(await celery.get(idOf(link)).state()).toBe('PENDING')
  })

  test('goes the steps of a chain that Celery sent, and fails those that can never run', async () => {
    const [second, third, never] = Array.from({ length: 3 }, () => crypto.randomUUID())
    const step = (task: string, id: string | undefined, args: unknown[] = []): object => ({ task, args, kwargs: {}, options: { task_id: id }, subtask_type: null, immutable: false })

    await put({ task: 'tasks.add', args: [1, 2], chain: [step('tasks.add', never), step('tasks.fail', third), step('tasks.add', second, [10])] })

    expect(await celery.get(second ?? '').result()).toBe(13)
    expect(await celery.get(third ?? '').exception()).toMatchObject({ message: '13' })
    expect(await celery.get(never ?? '').exception()).toMatchObject({ message: '13' })
  })
})

describe('linkError', () => {
  test('calls a task with the failed id before its own arguments', async () => {
    const linkError = signature('tasks.describe', ['failed'], {}, { taskId: crypto.randomUUID() })

    const future = await celery.with({ linkError }).submit(linked.fail, 'no')

    expect(await celery.get(idOf(linkError)).result()).toBe(`${future.id} failed`)
    expect(await future.exception()).toBeInstanceOf(RangeError)
  })

  test('is called for a task whose process died', async () => {
    const linkError = signature('tasks.describe', ['died'], {}, { taskId: crypto.randomUUID() })

    const future = await celery.with({ linkError }).submit(linked.dies)

    expect(await celery.get(idOf(linkError)).result()).toBe(`${future.id} died`)
  })
})

describe('what cannot follow', () => {
  test('an errback does not take the place of the error, nor keeps the rest of a chain from failing', async () => {
    const never = crypto.randomUUID()
    const chord = { task: 'celery.chord', args: [], kwargs: {}, options: {}, subtask_type: 'chord', immutable: false }
    const late = { task: 'tasks.describe', args: [], kwargs: {}, options: { eta: 'tomorrow' }, subtask_type: null, immutable: false }
    const step = { task: 'tasks.add', args: [], kwargs: {}, options: { task_id: never }, subtask_type: null, immutable: false }

    const id = await put({ task: 'tasks.fail', args: ['no'], chain: [step], errbacks: [chord, late] })

    expect(await celery.get(id).exception()).toMatchObject({ name: 'RangeError', message: 'no' })
    expect(await celery.get(never).exception()).toMatchObject({ message: 'no' })
  })

  test('the rest of a chain fails with a task whose process died', async () => {
    const never = crypto.randomUUID()
    const step = { task: 'tasks.add', args: [], kwargs: {}, options: { task_id: never }, subtask_type: null, immutable: false }

    const id = await put({ task: 'tasks.dies', args: [], chain: [step] })

    expect(await celery.get(id).exception()).toMatchObject({ code: 'ERR_CELERIAC_WORKER_LOST' })
    expect(await celery.get(never).exception()).toMatchObject({ code: 'ERR_CELERIAC_WORKER_LOST' })
  })

  test('a retry with arguments that are no plain data fails with their path where nothing was signed', async () => {
    const id = await put({ task: 'tasks.richer', args: [] })

    expect(await celery.get(id).exception()).toMatchObject({ code: 'ERR_CELERIAC_ENCODE', message: expect.stringContaining('args[0]') as string })
  })
})

describe('a signature', () => {
  test('is refused with what is wrong', () => {
    expect(() => signature('')).toThrow('takes a registered task, or the name of one')
    expect(() => signature('tasks.add', [], {}, { queu: 'x' } as SignatureOptions)).toThrow('queue')
    expect(() => celery.with({ link: { task: 'tasks.add' } })).toThrow('what celery.signature makes')
    expect(() => celery.with({ link: [] })).toThrow('what celery.signature makes')
  })

  test('is in the form in which Celery writes it', () => {
    const inner = signature('tasks.describe')

    expect(signature('tasks.add', [1], { y: 2 }, { countdown: '2s', expires: 60, queue: 'q', taskId: 'id', ignoreResult: true, linkError: inner })).toEqual({
      task: 'tasks.add',
      args: [1],
      kwargs: { y: 2 },
      options: { countdown: 2, expires: 60, queue: 'q', task_id: 'id', ignore_result: true, link_error: [inner] },
      subtask_type: null,
      immutable: false,
    })
  })
})

describe('retry', () => {
  test('runs the task again under its id until it succeeds', async () => {
    expect(await celery.submit(linked.stubborn, 3).result()).toBe('done after 3 retries, parent itself')
  })

  test('ends with the reason that was given, or says that it was retried too often', async () => {
    expect(await celery.submit(linked.hopeless, true).then((future) => future.exception())).toMatchObject({ name: 'RangeError', message: 'no use' })
    expect(await celery.submit(linked.hopeless, false).then((future) => future.exception())).toMatchObject({ code: 'ERR_CELERIAC_MAX_RETRIES_EXCEEDED' })
  })

  test('takes other arguments', async () => {
    expect(await celery.submit(linked.countDown, 5).result()).toBe('5 retries, [0]')
  })

  test('refuses other arguments for a function that came along with its call', async () => {
    const { currentTask } = await import('../../src/index.ts')
    const future = await celery.submit(() => currentTask()?.retry({ args: [1] }))

    expect(await future.exception()).toMatchObject({ message: expect.stringContaining('cannot be retried with other arguments') as string })
  })

  test('stores the state RETRY with the reason while it waits', async () => {
    const future = await celery.submit(linked.later)

    await expect.poll(() => future.state(), { timeout: 10_000 }).toBe('RETRY')
    expect(await future.info()).toMatchObject({ name: 'TypeError', message: 'not yet' })
    expect((await (await application.broker()).depth('celery')).parked).toBe(1)
  })

  test('is signed again only if it was signed', () => {
    const sealed: Message[] = []
    const codec = { seal: (message: Message) => void sealed.push(message) } as unknown as Codec
    const by = { codec, origin: 'gen1@test', queue: 'celery', nowMs: 0 }
    const unsigned = buildTaskMessage({ id: 'id', task: 'tasks.add', queue: 'celery', origin: 'gen1@test', replyTo: '' })
    const signed = { ...unsigned, headers: { ...unsigned.headers, [SIGNATURE_HEADER]: 'v1.former' } }

    const retried = [unsigned, signed].map((message) => retryMessage(message, readTaskMessage(message), { kind: 'retry', etaMs: 1000 }, by))

    expect(sealed).toEqual([retried[1]])
    expect(retried.map(({ headers }) => [headers[SIGNATURE_HEADER], headers['retries'], headers['eta'], headers['parent_id']])).toEqual([
      [undefined, 1, '1970-01-01T00:00:01.000000+00:00', 'id'],
      [undefined, 1, '1970-01-01T00:00:01.000000+00:00', 'id'],
    ])
  })

  test('keeps what belongs to the task, as in the messages of Celery itself', async () => {
    for (const name of ['retry', 'retry_full']) {
      const { messages } = JSON.parse(await readFile(new URL(`../golden/messages/${name}.json`, import.meta.url), 'utf8')) as { messages: { raw: string }[] }
      const theirs = decodeEnvelope(messages[0]?.raw ?? '')
      const first = { ...theirs, headers: { ...theirs.headers, retries: 0, eta: null, parent_id: null } }
      const request = readTaskMessage(first)
      const by = { codec: {} as Codec, origin: String(theirs.headers['origin']), queue: 'parking', nowMs: 0 }

      const ours = retryMessage(first, request, { kind: 'retry', etaMs: readTaskMessage(theirs).etaMs ?? 0 }, by)

      expect(ours.headers).toEqual(theirs.headers)
      expect(ours.body).toBe(theirs.body)
      expect(ours.properties).toEqual(theirs.properties)
    }
  })
})

function signature(...given: Parameters<Celery['signature']>): Signature {
  return celery.signature(...given)
}

function idOf({ options }: Signature): string {
  return String(options['task_id'])
}

async function metaOf(id: string): Promise<string> {
  const { backend } = await celery.open()
  return (await backend.get(id))?.text ?? '{}'
}

/** Puts a message into the queue as Python's Celery would, unsigned. */
async function put({ task, args, chain = null, errbacks = null }: { task: string; args: unknown[]; chain?: object[] | null; errbacks?: object[] | null }): Promise<string> {
  const id = crypto.randomUUID()
  const message: Message = {
    body: JSON.stringify([args, {}, { callbacks: null, errbacks, chain, chord: null }]),
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: { task, id, lang: 'py', retries: 0, root_id: id, parent_id: null },
    properties: { correlation_id: id },
  }
  await (await application.broker()).publish([{ queue: 'celery', message }])
  return id
}

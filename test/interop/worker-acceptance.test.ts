import { afterAll, beforeAll, expect, test } from 'vitest'

import type { DeadLetter } from '../../src/broker.ts'
import { type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { golden } from '../protocol/golden.ts'
import { linesOf } from './both-sides.ts'

failOnLeftovers()

interface AcceptanceCase {
  readonly case: string
  readonly raw: string
  readonly worker_survived: boolean
  readonly left_in_queue: number
  readonly results: Readonly<Record<string, { readonly status: string }>>
}

const CASES = golden('messages', 'worker_acceptance')['cases'] as readonly AcceptanceCase[]
const QUEUE = 'celery'
/** The largest body that the worker takes. */
const LARGEST = 200_000

const RUN = 'run: SUCCESS'
const UNREADABLE = 'not run: FAILURE DecodeError, kept as malformed'
const NOT_EVEN_AN_ID = 'not run: kept as malformed'
const UNKNOWN_TASK = 'not run: FAILURE NotRegistered, kept as unknown-task'
/**
 * What our worker does with each message: runs it, or not, with the state that is stored if there is an id to store it under, and
 * the reason for which the message is kept if it is.
 *
 * Python's own outcome is in the capture. Where ours differs, it is that nothing ends the worker, that nothing is dropped without
 * being kept, that whoever waits learns why, and that two messages that Python runs with arguments of the wrong kind are refused.
 */
const OUTCOMES: Readonly<Record<string, string>> = {
  'minimal: headers lang/task/id only': RUN,
  'no lang header': RUN,
  'no id header': NOT_EVEN_AN_ID,
  'id not a uuid, int': NOT_EVEN_AN_ID,
  'embed empty object': RUN,
  'embed null': RUN,
  'body of two elements': UNREADABLE,
  'body args is a string': UNREADABLE,
  'body args object': UNREADABLE,
  'body kwargs null': UNREADABLE,
  'body kwargs list': UNREADABLE,
  'body is an object with v2 headers + args (hybrid)': RUN,
  'body is a plain object without args': UNREADABLE,
  'body JSON null': UNREADABLE,
  'body JSON number': UNREADABLE,
  'malformed JSON body': UNREADABLE,
  'empty body': UNREADABLE,
  'body not base64 but says so': NOT_EVEN_AN_ID,
  'body not base64-encoded, no body_encoding': RUN,
  'body invalid utf-8 json': UNREADABLE,
  'unknown content type': UNREADABLE,
  'content type missing': UNREADABLE,
  'content type null': UNREADABLE,
  'content encoding binary with json': RUN,
  'content encoding missing': RUN,
  'disallowed pickle': UNREADABLE,
  'disallowed msgpack': UNREADABLE,
  'application/data content type': UNREADABLE,
  'unknown task': UNKNOWN_TASK,
  'unknown compression': UNREADABLE,
  'compression says zlib but body plain': UNREADABLE,
  'compression alias zlib': RUN,
  'true gzip file bytes with gzip header': UNREADABLE,
  'eta garbage': UNREADABLE,
  'eta JS toISOString Z with ms': RUN,
  'eta number': UNREADABLE,
  'eta empty string': UNREADABLE,
  'eta naive past': RUN,
  'eta date only': RUN,
  'eta +0200 without colon': RUN,
  'expires Z': RUN,
  'expires past Z': 'not run: REVOKED',
  'expires number': UNREADABLE,
  'timelimit missing/null': RUN,
  'timelimit one element': UNREADABLE,
  'retries null': RUN,
  'delivery_tag missing': NOT_EVEN_AN_ID,
  'delivery_info missing': NOT_EVEN_AN_ID,
  'priority missing': RUN,
  'correlation_id/reply_to missing': RUN,
  'properties only delivery_info and delivery_tag and body_encoding': RUN,
  'headers missing': NOT_EVEN_AN_ID,
  'headers null': NOT_EVEN_AN_ID,
  'headers empty + v1 body': RUN,
  'headers missing + v1 body': RUN,
  'v1 body without id': NOT_EVEN_AN_ID,
  'v1 body without args/kwargs': RUN,
  'v1 body kwargs list': UNREADABLE,
  'v1 unknown task': UNKNOWN_TASK,
  'v1 garbage body': NOT_EVEN_AN_ID,
  'v1 list body no headers': NOT_EVEN_AN_ID,
  'v1 undecodable body': NOT_EVEN_AN_ID,
  'v1 disallowed content': NOT_EVEN_AN_ID,
  'extra unknown headers': RUN,
  'headers.ignore_result true': 'run: the result is ignored',
  'shadow': RUN,
  'not JSON at all': NOT_EVEN_AN_ID,
}

describeRedis('a worker of ours that gets a message by hand', () => {
  let redis: RedisServer
  let application: TestApplication
  let client: Awaited<ReturnType<RedisServer['client']>>
  let trace: string

  beforeAll(async () => {
    redis = await RedisServer.start()
    const url = redis.url(0)
    application = testApplication({ brokerUrl: url, resultBackend: url, include: ['./test/interop/acceptance-tasks.ts'], taskUnknownDelay: 0.05, taskMessageMaxSize: LARGEST })
    trace = `${application.folder}/trace`
    process.env['ACCEPTANCE_TRACE'] = trace
    client = await redis.client()
    await application.startWorker({ queues: [QUEUE] })
  })

  afterAll(async () => {
    delete process.env['ACCEPTANCE_TRACE']
    await application.close()
    await client.close()
    await redis.dispose()
  })

  test.each(CASES.map((item) => [item.case, OUTCOMES[item.case] ?? 'no outcome is stated', item] as const))('"%s" - %s', async (_name, expected, { raw }) => {
    const before = await letters()
    const runs = linesOf(trace).length

    await client.lPush(QUEUE, raw)
    await answers()

    await expect.poll(async () => outcome(idOf(raw), linesOf(trace).length - runs - 1, (await letters()).slice(0, -before.length || undefined))).toBe(expected)
    expect(await client.lLen(QUEUE)).toBe(0)
  })

  test('nothing that ended a Python worker, or that it dropped, is run or lost', () => {
    const wrong = CASES.filter(({ results, worker_survived: survived, case: name }) => (!survived || Object.keys(results).length === 0) && !/kept as|ignored/.test(OUTCOMES[name] ?? ''))

    expect(wrong.map((item) => item.case)).toEqual([])
  })

  test('what Python ran is run, but for arguments that are no list', () => {
    const ran = CASES.filter(({ results }) => Object.values(results).some(({ status }) => status === 'SUCCESS'))

    expect(ran.filter((item) => OUTCOMES[item.case] !== RUN).map((item) => item.case)).toEqual(['body args is a string', 'body args object'])
  })

  const envelope = CASES[0]?.raw ?? ''

  test.each<[string, Buffer | string]>([
    ['bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['nothing', ''],
    ['blanks', ' \n'],
    ['null', 'null'],
    ['a number', '5'],
    ['a text', '"text"'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['an envelope that is cut off', envelope.slice(0, -20)],
    ['an envelope with bytes that are no UTF-8', Buffer.concat([Buffer.from(envelope.slice(0, 12)), Buffer.from([0xff, 0xfe]), Buffer.from(envelope.slice(12))])],
    ['an envelope with something behind it', `${envelope}{}`],
    ['an envelope whose body is no text', envelope.replace(/"body": "[^"]*"/, '"body": {"a": 1}')],
    ['an envelope whose properties are a list', envelope.replace('"properties": {', '"properties": [{').replace(/\}$/, ']}')],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['what is larger than a message may be', envelope.replace('"body": "', `"body": "${'A'.repeat(2 * LARGEST)}`)],
    ['pickled bytes', Buffer.from('80049511000000000000008c0568656c6c6f94', 'hex')],
    ['compressed bytes', Buffer.from('789c4bcbcf07000282 0145'.replace(' ', ''), 'hex')],
  ])('an element that is %s is kept as malformed', async (_what, element) => {
    const before = await letters()

    await client.lPush(QUEUE, element)
    await answers()

    await expect.poll(async () => (await letters()).length).toBe(before.length + 1)
    expect((await letters())[0]).toMatchObject({ reason: 'malformed', queue: QUEUE })
    expect(await client.lLen(QUEUE)).toBe(0)
  })

  test('elements of every kind at once do not hold up what is behind them', async () => {
    const before = await letters()
    const elements = Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? Buffer.from([index & 255, 0, 255]) : `{"body": ${index}`))

    await client.lPush(QUEUE, elements)
    await answers()

    await expect.poll(async () => (await letters()).length).toBe(before.length + 500)
  })

  /** A plain task is run. */
  async function answers(): Promise<void> {
    expect(await application.celery.sendTask('demo.add', [20, 22]).result({ timeout: 10 })).toBe(42)
  }

  /** All dead letters, the newest first. */
  async function letters(): Promise<DeadLetter[]> {
    const broker = await application.broker()
    return broker.deadLetters({ limit: 10_000 })
  }

  async function outcome(id: string | undefined, runs: number, dead: readonly DeadLetter[]): Promise<string> {
    const future = id === undefined ? undefined : application.celery.get(id)
    const state = await future?.state()
    const result = state === undefined || state === 'PENDING' ? [] : [[state, ...(state === 'FAILURE' ? [(await future?.exception())?.name] : [])].join(' ')]
    const parts = [...result, ...dead.map(({ reason }) => `kept as ${reason}`)]
    const run = ['not run', 'run'][runs] ?? `run ${runs} times`
    return `${run}: ${parts.join(', ') || 'the result is ignored'}`
  }
})

/** The id under which a result can be stored. */
function idOf(raw: string): string | undefined {
  try {
    const { body, headers, properties } = JSON.parse(raw) as { body: string; headers?: { id?: unknown } | null; properties?: { body_encoding?: string } }
    const inside = (): unknown => (JSON.parse(properties?.body_encoding === 'base64' ? Buffer.from(body, 'base64').toString() : body) as { id?: unknown }).id
    const id = headers?.id ?? inside()
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

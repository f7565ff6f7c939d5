import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/errors.ts'
import { decodeBody } from '../../src/protocol/body.ts'
import { decodeEnvelope } from '../../src/protocol/envelope.ts'
import { readTaskMessage, type TaskRequest } from '../../src/protocol/message.ts'
import { readsOrRefuses } from './attempt.ts'
import { golden, goldenMessage } from './golden.ts'

interface AcceptanceCase {
  readonly case: string
  readonly raw: string
  readonly worker_survived: boolean
  readonly results: Readonly<Record<string, { readonly status: string }>>
}

const CASES = golden('messages', 'worker_acceptance')['cases'] as readonly AcceptanceCase[]

/**
 * What a Python worker ran, or refused only for what it knows of tasks, we read. All else, from what it dropped to what ended it,
 * is refused here with a reason. The exceptions are those that are said below.
 */
const REASONS: Readonly<Record<string, string>> = {
  'no id header': 'header "id"',
  'id not a uuid, int': 'header "id"',
  'body of two elements': 'the body',
  'body args is a string': 'the arguments in the body',
  'body args object': 'the arguments in the body',
  'body kwargs null': 'the keyword arguments in the body',
  'body kwargs list': 'the keyword arguments in the body',
  'body is a plain object without args': 'the body',
  'body JSON null': 'the body',
  'body JSON number': 'the body',
  'malformed JSON body': 'the body',
  'empty body': 'the body',
  'body not base64 but says so': '"body" of the message',
  'body invalid utf-8 json': 'the body',
  'unknown content type': 'Refusing to read content of an unknown kind (application/x-foo)',
  'content type missing': 'the content type',
  'content type null': 'the content type',
  'disallowed pickle': 'Refusing to read pickle',
  'disallowed msgpack': 'Refusing to read msgpack',
  'application/data content type': 'Refusing to read auth',
  'unknown compression': 'Compression "application/x-snappy" is not supported',
  'compression says zlib but body plain': 'Cannot decompress the body: it is not application/x-gzip',
  'true gzip file bytes with gzip header': 'Cannot decompress the body: it is not application/x-gzip',
  'eta garbage': 'header "eta"',
  'eta number': 'header "eta"',
  'eta empty string': 'header "eta"',
  'expires number': 'header "expires"',
  'timelimit one element': 'header "timelimit"',
  'delivery_tag missing': 'property "delivery_tag"',
  'delivery_info missing': 'property "delivery_info"',
  'headers missing': 'the message',
  'headers null': 'the message',
  'v1 body without id': 'header "id"',
  'v1 body kwargs list': 'the keyword arguments in the body',
  'v1 garbage body': 'the message',
  'v1 list body no headers': 'the message',
  'v1 undecodable body': 'the body',
  'v1 disallowed content': 'Refusing to read pickle',
  'not JSON at all': 'the message',
}

/** Python splats a text or the keys of an object into arguments; we take it for the mistake it is. */
const STRICTER = ['body args is a string', 'body args object']

function receive(raw: string): { request: TaskRequest; args: readonly unknown[] } {
  const message = decodeEnvelope(raw)
  return { request: readTaskMessage(message), args: decodeBody(message).args }
}

describe('what a Python worker made of hand-made messages', () => {
  test.each(CASES.filter((item) => REASONS[item.case] === undefined))('"$case" is read', ({ raw }) => {
    const { request, args } = receive(raw)

    expect(request.id).not.toBe('')
    expect(args).toEqual(request.task === 'demo.noop' ? [] : [2, 3])
  })

  test.each(CASES.filter((item) => REASONS[item.case] !== undefined))('"$case" is refused with its reason', ({ case: name, raw }) => {
    const attempt = (): unknown => receive(raw)

    expect(attempt).toThrow(REASONS[name])
    expect(readsOrRefuses(attempt)).toBe(true)
  })

  test('everything that ended a worker is refused, and nothing that ran but what is said', () => {
    const ended = CASES.filter((item) => !item.worker_survived).map((item) => item.case)
    const ran = CASES.filter((item) => Object.values(item.results).some((result) => result.status === 'SUCCESS')).map((item) => item.case)

    expect(ended.filter((name) => REASONS[name] === undefined)).toEqual([])
    expect(ran.filter((name) => REASONS[name] !== undefined)).toEqual(STRICTER)
    expect(Object.keys(REASONS).filter((name) => !CASES.some((item) => item.case === name))).toEqual([])
  })
})

describe('readTaskMessage', () => {
  test('reads protocol 1, whose fields are in the body', () => {
    const { message } = goldenMessage('protocol1_plain')

    expect(readTaskMessage(message)).toMatchObject({ id: '00000001-0000-4000-8000-000000000000', task: 'demo.add', protocol: 1, retries: 0, headers: {} })
    expect(readTaskMessage(message).etaMs).toBeCloseTo(Date.UTC(2026, 10, 20, 6, 27, 29, 463) + 0.902, 2)
    expect(decodeBody(message)).toMatchObject({ args: [2, 3], kwargs: {}, embed: { callbacks: null, chain: null } })
  })

  test('reads the group of protocol 1 by its old name', () => {
    const { message } = goldenMessage('protocol1_chord')
    const body = JSON.parse(String(message.body)) as { taskset: string }

    expect(body.taskset).toMatch(/^[0-9a-f-]{36}$/)
    expect(readTaskMessage(message).groupId).toBe(body.taskset)
    expect(decodeBody(message).embed.chord).toMatchObject({ task: 'demo.xsum' })
  })

  test('keeps the headers it does not know', () => {
    expect(readTaskMessage(goldenMessage('options').message).headers).toEqual({ 'x-tenant': 'acme' })
  })

  test.each([
    ['group', 5],
    ['root_id', []],
    ['retries', -1],
    ['retries', '1'],
    ['retries', 1.5],
    ['timelimit', [1, 2, 3]],
    ['timelimit', 5],
    ['timelimit', ['a', null]],
    ['task', ''],
    ['expires', ''],
  ])('refuses a header %s that is %j', (name, value) => {
    const { message } = goldenMessage('plain')
    const read = (): unknown => readTaskMessage({ ...message, headers: { ...message.headers, [name]: value } })
    expect(read).toThrow(DecodeError)
    expect(read).toThrow(`Cannot read header "${name}": expected `)
  })

  test('never throws anything but DecodeError and ContentDisallowed', () => {
    const header = fc.constantFrom('id', 'task', 'eta', 'expires', 'retries', 'timelimit', 'group', 'stamps', 'stamped_headers', 'compression', '__proto__')
    const value = fc.oneof(fc.jsonValue(), fc.constant('2020-01-01'), fc.constant(10n), fc.constant(undefined))
    const message = fc.record({
      body: fc.oneof(fc.json(), fc.string(), fc.uint8Array()),
      contentType: fc.oneof(fc.constant('application/json'), fc.string()),
      contentEncoding: fc.string(),
      headers: fc.dictionary(header, value),
      properties: fc.dictionary(fc.string(), fc.jsonValue()),
    })
    const refused = fc.property(message, (input) => readsOrRefuses(() => readTaskMessage(input)))
    expect(() => fc.assert(refused, { numRuns: 1000 })).not.toThrow()
  })
})

import { describe, expect, test } from 'vitest'
import { EncodeError } from '../../src/errors.ts'
import { decodeBody } from '../../src/protocol/body.ts'
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts'
import { buildTaskMessage, readTaskMessage, type TaskMessageInput } from '../../src/protocol/message.ts'
import { parseTime } from '../../src/protocol/time.ts'
import { goldenMessage } from './golden.ts'

/**
 * The one place that says where our messages may differ from Celery's for the same call:
 *
 * - `lang` is ours; `origin` and `reply_to` name the sender; `delivery_tag` is the transport's;
 * - times are the same instant, always with six fraction digits;
 * - Celery 5.2 does not write the last three headers of 5.6, and ends in the properties what it does not know.
 */
function comparable(message: ReturnType<typeof goldenMessage>['message']): unknown {
  const { lang: _lang, origin: _origin, eta, expires, replaced_task_nesting, stamped_headers, stamps, ...headers } = message.headers
  const { reply_to: _reply, delivery_tag: _tag, origin: _old, argsrepr: _args, kwargsrepr: _kwargs, ...properties } = message.properties
  const { replaced_task_nesting: _nesting, ...known } = properties
  const instant = (time: unknown): number | null => (typeof time === 'string' ? Math.floor(parseTime(time)) : null)
  return {
    contentType: message.contentType,
    contentEncoding: message.contentEncoding,
    headers: { ...headers, eta: instant(eta), expires: instant(expires) },
    later: { replaced_task_nesting: replaced_task_nesting ?? 0, stamped_headers: stamped_headers ?? null, stamps: stamps ?? {} },
    properties: known,
    body: decodeBody(message),
  }
}

function idOf(number: number): string {
  return `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`
}

function instantOf(name: string, header: 'eta' | 'expires'): number {
  return parseTime(goldenMessage(name).message.headers[header])
}

/** Celery reckons `expiration` when it sends, so that `now` follows from what it wrote. */
function nowOf(name: string): number {
  return instantOf(name, 'expires') - Number(goldenMessage(name).message.properties['expiration'])
}

const signature = { task: '', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false }
const retryEmbed = {
  callbacks: [{ ...signature, task: 'demo.mul', args: [2] }],
  errbacks: [{ ...signature, task: 'demo.errback_old' }],
  chain: null,
  chord: null,
}
const retried = (number: number): Partial<TaskMessageInput> => ({
  id: idOf(number),
  task: 'demo.retry_me',
  queue: 'parking',
  args: [1, 30],
  retries: 1,
  parentId: idOf(number),
})

/** The calls of the captures, in our words. What is not said is `add(2, 3)` on the queue `celery`. */
const CALLS: Readonly<Record<string, Partial<TaskMessageInput>>> = {
  plain: { id: idOf(1) },
  celery56_plain: { id: idOf(1) },
  kwargs: { id: idOf(2), task: 'demo.ident', args: [], kwargs: { a: 1, b: [1, 2], c: { d: null } } },
  celery56_kwargs: { id: idOf(2), task: 'demo.ident', args: [], kwargs: { a: 1, b: [1, 2], c: { d: null } } },
  countdown: { id: idOf(3), etaMs: instantOf('countdown', 'eta') },
  countdown_fraction: { id: idOf(3), etaMs: instantOf('countdown_fraction', 'eta') },
  countdown_zero: { id: idOf(3) },
  celery56_countdown: { id: idOf(3), etaMs: instantOf('celery56_countdown', 'eta') },
  eta_aware: { id: idOf(4), etaMs: Date.parse('2030-01-02T03:04:05+02:00') },
  eta_naive: { id: idOf(5), etaMs: Date.parse('2030-01-02T03:04:05Z') },
  expires_number: { id: idOf(6), expiresMs: instantOf('expires_number', 'expires'), nowMs: nowOf('expires_number') },
  celery56_expires_number: { id: idOf(6), expiresMs: instantOf('celery56_expires_number', 'expires'), nowMs: nowOf('celery56_expires_number') },
  expires_datetime: { id: idOf(7), expiresMs: Date.parse('2030-01-01T00:00:00Z'), nowMs: nowOf('expires_datetime') },
  expires_past: { id: idOf(8), expiresMs: Date.parse('2020-01-01T00:00:00Z'), nowMs: Date.parse('2026-11-20T00:00:00Z') },
  priority_5: { id: idOf(9), priority: 5 },
  priority_9: { id: idOf(9), priority: 9 },
  unicode: { id: idOf(21), task: 'demo.ident', args: ['é', '日本', '😀', "it's", 'a\nb\\'] },
  long_args: { id: idOf(23), task: 'demo.ident', args: ['a'.repeat(3000), Array.from({ length: 2000 }, (_, index) => index)], kwargs: { k: 'b'.repeat(3000) } },
  queue: { id: idOf(25), queue: 'other' },
  ignore_result: { id: idOf(26), task: 'demo.ignored', args: [1], ignoreResult: true },
  ignore_result_option: { id: idOf(26), args: [1, 2], ignoreResult: true },
  send_task: { id: idOf(27), task: 'other.lang.task', args: [1], kwargs: { k: 'v' } },
  reply_to: { id: idOf(28), replyTo: 'my-replies', deliveryMode: 1 },
  link: { id: idOf(10), embed: { callbacks: [{ ...signature, task: 'demo.mul', args: [10] }], errbacks: null, chain: null, chord: null } },
  options: {
    ...{ id: idOf(30), args: [1, 2], timeLimit: 30, softTimeLimit: 20.5, shadow: 'pretty.name' },
    ...{ headers: { 'x-tenant': 'acme' }, argsrepr: '(<hidden>)', kwargsrepr: '{}' },
  },
  celery56_options: {
    ...{ id: idOf(30), args: [1, 2], timeLimit: 30, softTimeLimit: 20.5, shadow: 'pretty.name' },
    ...{ headers: { 'x-tenant': 'acme' }, argsrepr: '(<hidden>)', kwargsrepr: '{}' },
  },
  celery56_stamped: { id: idOf(50), args: [1, 2], stamps: { tenant: 'acme' }, stampedHeaders: ['tenant'] },
  retry: { ...retried(60), etaMs: instantOf('retry', 'eta') },
  celery56_retry: { ...retried(60), etaMs: instantOf('celery56_retry', 'eta') },
  retry_full: { ...retried(61), etaMs: instantOf('retry_full', 'eta'), timeLimit: 60, softTimeLimit: 50, priority: 3, shadow: 'sh', embed: retryEmbed },
  celery56_retry_full: {
    ...{ ...retried(61), timeLimit: 60, softTimeLimit: 50, priority: 3, shadow: 'sh', embed: retryEmbed, headers: { 'x-tenant': 'acme' } },
    ...{ etaMs: instantOf('celery56_retry_full', 'eta'), expiresMs: instantOf('celery56_retry_full', 'expires'), nowMs: nowOf('celery56_retry_full') },
  },
}

function build(call: Partial<TaskMessageInput>): ReturnType<typeof buildTaskMessage> {
  return buildTaskMessage({ id: 'x', task: 'demo.add', queue: 'celery', origin: 'gen1@host', replyTo: 'reply', args: [2, 3], ...call })
}

describe('buildTaskMessage', () => {
  test.each(Object.keys(CALLS))('writes what Celery wrote for %s', (name) => {
    const ours = decodeEnvelope(encodeEnvelope(build(CALLS[name] ?? {})))

    expect(comparable(ours)).toEqual(comparable(goldenMessage(name).message))
  })

  test('writes every header of Celery in its order', () => {
    const { headers } = build({ headers: { 'x-tenant': 'acme' } })
    expect(Object.keys(headers)).toEqual(Object.keys(goldenMessage('celery56_options').message.headers))
  })

  test('shows large integers as Celery does', () => {
    // 1.0 and 1 are one number here; Celery's other values are these.
    const { headers } = build({ args: [9007199254740993n, 2n ** 64n, -(2n ** 70n), 1e300, NaN, Infinity, -Infinity, 0.1] })
    const theirs = String(goldenMessage('large_ints').message.headers['argsrepr'])
    expect(headers['argsrepr']).toBe(theirs.replace('1.0, ', ''))
  })

  test('shows deep arguments as Celery does', () => {
    const { headers } = build({ args: [[1, [2, [3, [4]]]], { a: { b: { c: { d: 1 } } } }] })
    expect(String(goldenMessage('deep_args').message.headers['argsrepr']).startsWith(String(headers['argsrepr']).slice(0, -1))).toBe(true)
  })

  test('compresses the body when told to', () => {
    const message = build({ args: ['x'.repeat(200)], compression: 'zlib' })
    expect(message.headers['compression']).toBe(goldenMessage('zlib').message.headers['compression'])
    expect(decodeBody(decodeEnvelope(encodeEnvelope(message))).args).toEqual(['x'.repeat(200)])
  })

  test('takes arguments that are JSON already, or a whole body of any format', () => {
    expect(decodeBody(build({ args: [1], argsText: '[1]', kwargsText: '{"a":2}' }))).toMatchObject({ args: [1], kwargs: { a: 2 } })
    const content = { body: Buffer.from([1]), contentType: 'application/x-own', contentEncoding: 'binary' }
    expect(build({ content, args: undefined })).toMatchObject({ ...content, headers: { argsrepr: '(...)', kwargsrepr: '{...}' } })
  })

  test.each([
    [{ id: '' }, 'id must be a text that is not empty'],
    [{ task: '' }, 'task must be a text that is not empty'],
    [{ headers: { id: 5 } }, 'headers.id is written by the protocol itself'],
    [{ headers: { tenant: new Date() } }, 'headers.tenant is a Date'],
    [{ headers: JSON.parse('{"__proto__": 1}') as Record<string, unknown> }, 'headers.__proto__ is written by the protocol itself'],
    [{ args: [() => 1] }, 'args[0] is the function'],
    [{ etaMs: Number.NaN }, 'A time must be in the years 1 to 9999'],
  ])('refuses %j, which would end a worker or be lost', (call, message) => {
    expect(() => build(call)).toThrow(EncodeError)
    expect(() => build(call)).toThrow(message)
  })

  test('is read back as it was meant', () => {
    const call = {
      ...{ etaMs: 1e12, expiresMs: 2e12, retries: 2, shadow: 'sh', groupId: 'g', groupIndex: 3, rootId: 'root', parentId: 'parent' },
      ...{ timeLimit: 9, softTimeLimit: 8, ignoreResult: true, replacedTaskNesting: 1, stamps: { a: 1 }, stampedHeaders: ['a'], headers: { own: 1 } },
    }
    expect(readTaskMessage(build(call))).toEqual({
      ...{ ...call, id: 'x', task: 'demo.add', protocol: 2, origin: 'gen1@host', replyTo: 'reply', argsrepr: '(2, 3)', kwargsrepr: '{}' },
    })
  })
})

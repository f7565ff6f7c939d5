import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ContentDisallowed, DecodeError } from '../../src/errors.ts'
import { decodeException } from '../../src/protocol/exception.ts'
import { type ExtendedMeta, decodeGroupMeta, decodeResultMeta, encodeGroupMeta, encodeResultMeta } from '../../src/protocol/result.ts'
import { parseTime } from '../../src/protocol/time.ts'
import { EXCEPTION_STATES, READY_STATES } from '../../src/states.ts'
import { readsOrRefuses } from './attempt.ts'
import { golden, goldenMessages, goldenNames, goldenTexts } from './golden.ts'

const NAMES = goldenNames('results')

/** Captures of tasks that store nothing. */
const NOTHING_STORED = ['celery56_ignore_result_failure', 'ignore_result', 'ignore_result_option', 'reject']

/** Stored with another `result_serializer`. */
const OTHER_SERIALIZERS = ['serializer_msgpack', 'serializer_pickle', 'serializer_yaml']

function raw(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}

/** A meta as it is stored, in the names and forms that it is read with. */
function asRead(text: string): unknown {
  const { status, task_id, result, traceback, date_done, group_id, parent_id, name, retries } = raw(text)
  const dateDone = typeof date_done === 'string' ? parseTime(date_done) : undefined
  return { status, taskId: task_id, result: result ?? null, traceback: traceback ?? null, dateDone, groupId: group_id, parentId: parent_id, name, retries }
}

/** Texts of a capture by what they are; the rest are counters and parts of chords. */
function textsOf(name: string): { metas: string[]; groups: string[] } {
  const texts = goldenTexts(name).filter(({ key }) => !/\.[jst]$/.test(key))
  const groups = texts.filter(({ key, raw: text }) => key.startsWith('celery-taskset-meta-') && text.startsWith('{'))
  const metas = texts.filter(({ key, raw: text }) => !key.startsWith('celery-taskset-meta-') && text.startsWith('{'))
  const carried = goldenMessages('results', name).filter(({ message }) => message.headers['task'] === undefined)
  return {
    metas: [...metas.map((text) => text.raw), ...carried.map(({ message }) => String(message.body))].filter((text) => text.includes('"status"')),
    groups: groups.map((text) => text.raw),
  }
}

describe('results that Celery stored', () => {
  test('are all tested', () => {
    const withTexts = NAMES.filter((name) => goldenTexts(name).length > 0 || goldenMessages('results', name).length > 0)
    expect(NAMES.length).toBeGreaterThan(70)
    expect([...withTexts, ...NOTHING_STORED, ...OTHER_SERIALIZERS].toSorted()).toEqual(NAMES.toSorted())
  })

  test.each(NAMES.filter((name) => !NOTHING_STORED.includes(name) && !OTHER_SERIALIZERS.includes(name)))('%s is read', (name) => {
    const { metas, groups } = textsOf(name)

    expect(metas.length).toBeGreaterThan(0)
    for (const text of metas) expect(decodeResultMeta(text)).toMatchObject(asRead(text) as object)
    for (const text of groups) expect(decodeGroupMeta(text).length).toBeGreaterThan(0)
  })

  test('hold exceptions with their class and module', () => {
    const metas = NAMES.flatMap((name) => textsOf(name).metas.map((text) => decodeResultMeta(text)))
    const errors = metas.filter(({ status, result }) => EXCEPTION_STATES.has(status) && result !== null)

    expect(errors.length).toBeGreaterThan(50)
    for (const { result } of errors) {
      expect(decodeException(result)).toMatchObject({ excType: expect.stringMatching(/^[A-Z]/), excModule: expect.stringMatching(/^[a-z.]+$/) })
    }
  })

  test.each([
    ['serializer_msgpack', DecodeError, 'Cannot read the result: it seems to be msgpack'],
    ['serializer_yaml', DecodeError, 'Cannot read the result: it seems to be yaml'],
    ['serializer_pickle', ContentDisallowed, 'Refusing to read a result in pickle (application/x-python-serialize): reading pickle runs code'],
  ])('%s is refused, with the reason and what to set on both sides', (name, type, message) => {
    const keys = Object.values(golden('results', name)['keys'] as Readonly<Record<string, { readonly raw_base64?: string }>>)
    const bytes = keys.flatMap(({ raw_base64: base64 }) => (base64 === undefined ? [] : [Buffer.from(base64, 'base64')]))

    expect(bytes.length).toBeGreaterThan(0)
    for (const text of bytes.flatMap((stored) => [stored.toString('latin1'), stored.toString('utf8')])) {
      expect(() => decodeResultMeta(text)).toThrow(type)
      expect(() => decodeResultMeta(text)).toThrow(message)
      expect(() => decodeResultMeta(text)).toThrow('set result_serializer = "json" in Python too (here resultSerializer is "json")')
    }
  })

  test('show arguments that are no JSON as logs do', () => {
    const extended = { name: 'demo.task', args: [Buffer.from('x')], kwargs: { at: new Date(0) }, worker: 'w@h', retries: 0, queue: 'celery' }
    const meta = decodeResultMeta(encodeResultMeta({ taskId: 'a', status: 'SUCCESS', resultText: '1', traceback: null, extended }))
    expect(meta).toMatchObject({ taskId: 'a', result: 1, args: expect.any(String), kwargs: expect.any(String) })
  })

  test('name the tasks that a task sent, of a group its members', () => {
    const children = (name: string): unknown[] => goldenTexts(name).map(({ raw: text }) => (text.includes('"children": [[') ? decodeResultMeta(text).children : []))
    expect(children('children')).toContainEqual(['1fbac7fd-7ea6-4c4f-9bea-756f925538a2', '8cb43629-010f-4475-bd5e-4c81badb427d'])
    expect(children('children_group')).toContainEqual(['3f41c191-d350-401d-87da-bb436d6ef731', '202656a3-2f7d-4eb5-bb3c-b67d0921bed2'])
  })
})

/** Those of Celery's metas that say all we write, so that ours can be the same text. */
const REWRITTEN = ['celery56_success', 'celery56_failure', 'celery56_chord', 'celery56_reject', 'celery56_extended_success', 'success_none', 'progress', 'started', 'revoked']

describe('encodeResultMeta', () => {
  test.each(REWRITTEN)('writes the text that Celery wrote in %s', (name) => {
    const metas = textsOf(name).metas.filter((text) => text.includes('"children": []'))
    expect(metas.length).toBeGreaterThan(0)
    for (const text of metas) {
      const meta = decodeResultMeta(text)
      const ours = encodeResultMeta({
        taskId: meta.taskId ?? '',
        status: meta.status,
        resultText: JSON.stringify(meta.result),
        traceback: meta.traceback,
        dateDoneMs: meta.dateDone,
        groupId: meta.groupId,
        parentId: meta.parentId,
        extended: meta.name === undefined ? undefined : { ...meta, name: meta.name, worker: meta.worker ?? '', retries: meta.retries ?? 0, queue: meta.queue ?? '' },
      })
      expect(Object.keys(raw(ours))).toEqual(Object.keys(raw(text)))
      expect({ ...raw(ours), date_done: null }).toEqual({ ...raw(text), date_done: null })
      expect(decodeResultMeta(ours).dateDone).toBe(meta.dateDone)
    }
  })

  test('writes the time only in states after which nothing more happens', () => {
    for (const status of ['SUCCESS', 'FAILURE', 'REVOKED', 'STARTED', 'RETRY', 'PROGRESS']) {
      const { date_done } = raw(encodeResultMeta({ taskId: 'x', status, resultText: '1', traceback: null, dateDoneMs: 0 }))
      expect(date_done).toBe(READY_STATES.has(status) ? '1970-01-01T00:00:00.000000+00:00' : null)
    }
  })

  test('gives back what was put in', () => {
    const children = ['a', 'b']
    const extended = { name: 'n', args: [1n << 64n], kwargs: undefined, worker: 'w@h', retries: 1, queue: 'q' }
    const text = encodeResultMeta({ taskId: 'x', status: 'SUCCESS', resultText: '[NaN]', traceback: null, children, extended })

    expect(decodeResultMeta(text)).toMatchObject({ taskId: 'x', result: [NaN], children, name: 'n', args: [1n << 64n], kwargs: null, worker: 'w@h' })
  })
})

describe('decodeResultMeta', () => {
  test('takes the least that Python takes', () => {
    expect(decodeResultMeta('{"status": "SUCCESS", "result": 1, "task_id": "x"}')).toMatchObject({ status: 'SUCCESS', result: 1, taskId: 'x', children: [], dateDone: undefined })
  })

  test('takes a time with and without an offset', () => {
    const withTime = (time: string): number | undefined => decodeResultMeta(`{"status": "SUCCESS", "date_done": "${time}"}`).dateDone
    expect(withTime('2026-11-20T06:28:21.872849')).toBe(parseTime('2026-11-20T06:28:21.872849Z'))
    expect(withTime('2026-11-20T06:28:21.872849+01:00')).toBe(parseTime('2026-11-20T05:28:21.872849Z'))
    expect(withTime('yesterday')).toBeUndefined()
  })

  test.each(['', 'null', '[]', '{}', '{"status": 5}'])('refuses %j', (text) => {
    expect(() => decodeResultMeta(text)).toThrow(DecodeError)
  })

  test('never throws anything but a DecodeError', () => {
    const meta = fc.dictionary(fc.constantFrom('status', 'result', 'children', 'date_done', 'task_id', 'traceback', 'retries', '__proto__'), fc.jsonValue())
    const text = fc.oneof(fc.string(), meta.map((value) => JSON.stringify({ status: 'SUCCESS', ...value })))
    expect(() => fc.assert(fc.property(text, (input) => readsOrRefuses(() => decodeResultMeta(input))), { numRuns: 500 })).not.toThrow()
  })
})

describe('a group', () => {
  test('is stored as Celery stores it', () => {
    const [stored] = goldenTexts('group_saved').filter(({ key }) => key.startsWith('celery-taskset-meta-'))
    const text = stored?.raw ?? ''

    expect(raw(encodeGroupMeta('80089e43-8e2f-4c56-a6aa-2c4e3d9ba22d', decodeGroupMeta(text)))).toEqual(raw(text))
  })

  test('within a group gives its members', () => {
    expect(decodeGroupMeta('{"result": [["g", null], [[["a", null], null], [["inner", null], [[["b", null], null]]]]]}')).toEqual(['a', 'b'])
  })

  test.each(['{}', '{"result": 5}', '{"result": [["g", null], null]}'])('%s is refused', (text) => {
    expect(() => decodeGroupMeta(text)).toThrow(DecodeError)
  })
})

test('a result meta around arguments that are JSON already is the one that is made of their values', () => {
  const common = { name: 'tasks.add', worker: 'w@h', retries: 0, queue: 'celery' }
  const meta = (extended: ExtendedMeta): unknown =>
    decodeResultMeta(encodeResultMeta({ taskId: 'id', status: 'SUCCESS', resultText: '3', traceback: null, extended }))

  expect(meta({ ...common, argsText: '[1, "é"]' })).toEqual(meta({ ...common, args: [1, 'é'], kwargs: {} }))
})

import { describe, expect, test } from 'vitest'
import { decodeBody, serializeBody } from '../../src/protocol/body.ts'
import { compress } from '../../src/protocol/encoding.ts'
import { stringifyWithTimes } from '../../src/protocol/json.ts'
import { SERIALIZERS, type SerializerName } from '../../src/protocol/serializers/open.ts'
import { thrownBy } from './attempt.ts'
import { askPython, hasCelery } from './python.ts'

const NAMES: readonly SerializerName[] = ['json', 'msgpack', 'yaml']
const ACCEPT = { accept: NAMES, restoreTypes: true }

const LONG = 'é😀'.repeat(170_000)
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
const DATE = new Date('2026-11-20T16:51:11.991Z')

/** What is sent from here: the `repr` of what a Python task gets, under each serializer; a RegExp is what it is refused with. */
const SENT: readonly (readonly [what: string, value: unknown, json: string | RegExp, msgpack: string | RegExp, yaml: string | RegExp])[] = [
  ['null', null, 'None', 'None', 'None'],
  ['true', true, 'True', 'True', 'True'],
  ['an integer', -5, '-5', '-5', '-5'],
  ['an integer of 32 bits', 2 ** 31, '2147483648', '2147483648', '2147483648'],
  ['an integer of 53 bits', 2 ** 53 - 1, '9007199254740991', '9007199254740991', '9007199254740991'],
  ['a negative one', 1 - 2 ** 53, '-9007199254740991', '-9007199254740991', '-9007199254740991'],
  ['a whole number beyond 2^53, a float', 2 ** 53, '9007199254740992.0', '9007199254740992.0', '9007199254740992.0'],
  ['a BigInt of 64 bits', 2n ** 64n - 1n, '18446744073709551615', '18446744073709551615', '18446744073709551615'],
  ['a BigInt of 71 bits', 2n ** 70n, '1180591620717411303424', /args\[0\] is an integer of more than 64 bits/, '1180591620717411303424'],
  ['a float', 0.1, '0.1', '0.1', '0.1'],
  ['a large float', 1e21, '1e+21', '1e+21', '1e+21'],
  ['a small float', 1e-7, '1e-07', '1e-07', '1e-07'],
  ['minus zero', -0, '0', '0', '-0.0'],
  ['NaN', Number.NaN, 'nan', 'nan', 'nan'],
  ['Infinity', Infinity, 'inf', 'inf', 'inf'],
  ['-Infinity', -Infinity, '-inf', '-inf', '-inf'],
  ['an empty text', '', "''", "''", "''"],
  ['unicode', 'é😀\u2028\u2029\u0085\ufeff\u007f\u0000\ufffe', String.raw`'é😀\u2028\u2029\x85\ufeff\x7f\x00\ufffe'`, String.raw`'é😀\u2028\u2029\x85\ufeff\x7f\x00\ufffe'`, String.raw`'é😀\u2028\u2029\x85\ufeff\x7f\x00\ufffe'`],
  ['half a surrogate pair', '\ud800', String.raw`'\ud800'`, /args\[0\] is a text with half a surrogate pair/, String.raw`'\ud800'`],
  ['texts that look like something else', ['yes', '1e3', '012', '~', '2026-01-01', '<<', 'a: b', '# x'], "['yes', '1e3', '012', '~', '2026-01-01', '<<', 'a: b', '# x']", "['yes', '1e3', '012', '~', '2026-01-01', '<<', 'a: b', '# x']", "['yes', '1e3', '012', '~', '2026-01-01', '<<', 'a: b', '# x']"],
  ['objects', { a: { b: [] }, ['__proto__']: 1, '': 2 }, "{'a': {'b': []}, '__proto__': 1, '': 2}", "{'a': {'b': []}, '__proto__': 1, '': 2}", "{'a': {'b': []}, '__proto__': 1, '': 2}"],
  ['bytes', Buffer.from([0, 255]), /args\[0\] is a Buffer/, String.raw`b'\x00\xff'`, String.raw`b'\x00\xff'`],
  ['bytes that are no Buffer', new Uint8Array([65]), /args\[0\] is an Uint8Array/, "b'A'", "b'A'"],
  ['a Date', DATE, "'2026-11-20T16:51:11.991000+00:00'", /args\[0\] is a Date/, 'datetime.datetime(2026, 11, 20, 16, 51, 11, 991000, tzinfo=datetime.timezone.utc)'],
  ['an invalid Date', new Date(Number.NaN), /args\[0\] is an invalid Date/, /args\[0\] is a Date/, /args\[0\] is an invalid Date/],
  ['a Map', new Map(), /args\[0\] is a Map/, /args\[0\] is a Map/, /args\[0\] is a Map/],
]

/** Too large to be shown: whether Python finds them equal to the expression. */
const LARGE: readonly (readonly [what: string, value: unknown, expression: string])[] = [
  ['a text of 1 MB', LONG, "'é😀' * 170_000"],
  ['a long key', { ['k'.repeat(5000)]: 1, [`é${'"'.repeat(2000)}`]: 2 }, "{'k' * 5000: 1, 'é' + '\"' * 2000: 2}"],
  ['100,000 items', Array.from({ length: 20_000 }, (_, index) => index), 'list(range(20_000))'],
  ['deep nesting', deep(190), 'deep(190)'],
]

const DECOMPRESS = `
from kombu import compression
import base64
def answer(question):
    body, header = question
    return compression.decompress(base64.b64decode(body), header).decode()
`

const RECEIVE = `
from kombu import serialization
import base64
serialization.enable_insecure_serializers(['yaml', 'msgpack'])
def deep(levels): return 1 if levels == 0 else [deep(levels - 1)]
def answer(question):
    body, content_type, encoding, expression = question
    args, kwargs, embed = serialization.loads(base64.b64decode(body), content_type, encoding, accept=[content_type])
    return [repr(args[0]) if expression is None else eval(expression) == args[0], repr(kwargs), repr(embed)]
`

/** What a Python program passes, and what a task here gets; a RegExp is what Python refuses it with. */
const RECEIVED: readonly (readonly [code: string, json: unknown, msgpack: unknown, yaml: unknown])[] = [
  ['None', null, null, null],
  ['[True, 0, -1, 2**31, 2**53 - 1, 1.5, 1e300, 1e-7]', [true, 0, -1, 2 ** 31, 2 ** 53 - 1, 1.5, 1e300, 1e-7], [true, 0, -1, 2 ** 31, 2 ** 53 - 1, 1.5, 1e300, 1e-7], [true, 0, -1, 2 ** 31, 2 ** 53 - 1, 1.5, 1e300, 1e-7]],
  ['[2**53, 2**64 - 1, -2**63]', [2n ** 53n, 2n ** 64n - 1n, -(2n ** 63n)], [2n ** 53n, 2n ** 64n - 1n, -(2n ** 63n)], [2n ** 53n, 2n ** 64n - 1n, -(2n ** 63n)]],
  ['2**70', 2n ** 70n, /range/, 2n ** 70n],
  ['-0.0', -0, -0, -0],
  ['[float("nan"), float("inf"), -float("inf")]', [Number.NaN, Infinity, -Infinity], [Number.NaN, Infinity, -Infinity], [Number.NaN, Infinity, -Infinity]],
  ['"é😀\\u2028\\u0085\\ufeff\\x7f\\x00\\n"', 'é😀\u2028\u0085\ufeff\u007f\u0000\n', 'é😀\u2028\u0085\ufeff\u007f\u0000\n', 'é😀\u2028\u0085\ufeff\u007f\u0000\n'],
  ['"\\ud800"', '\ud800', /surrogates/, '\ud800'],
  ['["yes", "y", "n", "Y", "1e3", "089", "0o7", "1:30", "~", "", "2026-01-01", "2026-1-1", "<<", "=", "null", ".nan", "0x", "+", "- a", "1_0"]', ...same(['yes', 'y', 'n', 'Y', '1e3', '089', '0o7', '1:30', '~', '', '2026-01-01', '2026-1-1', '<<', '=', 'null', '.nan', '0x', '+', '- a', '1_0'])],
  ['(1, (2, 3))', [1, [2, 3]], [1, [2, 3]], [1, [2, 3]]],
  ['{"a": {}, "__proto__": {"x": 1}, "constructor": 1}', ...same(JSON.parse('{"a": {}, "__proto__": {"x": 1}, "constructor": 1}'))],
  ['{None: 3, True: 4}', ...same({ null: 3, true: 4 })],
  ['{5: 2, 1.5: 3}', ...same({ 5: 2, 1.5: 3 })],
  ['b"\\x00\\xff"', /not JSON serializable/, Buffer.from([0, 255]), Buffer.from([0, 255])],
  ['b""', /not JSON serializable/, Buffer.alloc(0), Buffer.alloc(0)],
  ['datetime.datetime(2024, 1, 2, 3, 4, 5, 678901)', '2024-01-02T03:04:05.678901', /can not serialize/, new Date('2024-01-02T03:04:05.678Z')],
  ['datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)', '2024-01-02T03:04:05Z', /can not serialize/, new Date('2024-01-02T03:04:05Z')],
  ['datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))', '2024-01-02T03:04:05-05:30', /can not serialize/, new Date('2024-01-02T08:34:05Z')],
  ['datetime.date(2024, 1, 2)', '2024-01-02T00:00:00', /can not serialize/, new Date('2024-01-02T00:00:00Z')],
  ['datetime.time(1, 2, 3)', '01:02:03', /can not serialize/, /cannot represent/],
  ['decimal.Decimal("1.10")', '1.10', /can not serialize/, /cannot represent/],
  ['uuid.UUID(int=5)', '00000000-0000-0000-0000-000000000005', /can not serialize/, /cannot represent/],
  ['{1, 2}', /not JSON serializable/, /can not serialize/, new Set([1, 2])],
  ['msgpack.Timestamp(1, 500000000)', /not JSON serializable/, new Date(1500), /cannot represent/],
  ['(lambda shared: [shared, shared, {"again": shared}])([1, "x"])', ...same([[1, 'x'], [1, 'x'], { again: [1, 'x'] }])],
  ['[["x"] * 3] * 2000', ...same(Array.from({ length: 2000 }, () => ['x', 'x', 'x']))],
  ['"é😀" * 170_000', LONG, LONG, LONG],
  ['"x y\\n" * 10_000', ...same('x y\n'.repeat(10_000))],
  ['deep(190)', deep(190), deep(190), deep(190)],
]

const SEND = `
from kombu import serialization
import base64, datetime, decimal, uuid, msgpack
def deep(levels): return 1 if levels == 0 else [deep(levels - 1)]
def answer(question):
    code, name = question
    try: content_type, encoding, body = serialization.dumps([[eval(code)], {}, {}], name)
    except BaseException as error: return {'refused': str(error)}
    return {'body': base64.b64encode(body.encode('utf-8', 'surrogatepass') if isinstance(body, str) else body).decode(), 'type': content_type}
`

describe.skipIf(!hasCelery)('values (skipped where there is no Celery for Python)', () => {
  test('Python reads what we have compressed with zlib, the one way it always has', () => {
    const questions = ['zlib', 'gzip'].map((name) => compress('é'.repeat(1000), name)).map(({ body, header }) => [Buffer.from(body).toString('base64'), header])
    expect(askPython(DECOMPRESS, questions)).toEqual(['é'.repeat(1000), 'é'.repeat(1000)])
  })

  describe.each(NAMES)('in %s', (name) => {
    const column = NAMES.indexOf(name)

    test.each(SENT.filter((row) => row[2 + column] instanceof RegExp))('we refuse to send %s', (...row) => {
      const error = thrownBy(() => write(name, row[1]))
      expect(error).toMatchObject({ code: 'ERR_CELERIAC_ENCODE', message: expect.stringMatching(row[2 + column] as RegExp) })
    })

    test('Python receives what the table says', () => {
      const sent = SENT.filter((row) => typeof row[2 + column] === 'string')
      const answers = askPython(RECEIVE, sent.map(([, value]) => [...write(name, value), null]))

      const embed = name === 'yaml' || name === 'msgpack' ? "{'callbacks': None, 'errbacks': None, 'chain': None, 'chord': None}" : '{}'
      expect(Object.fromEntries(sent.map(([what], index) => [what, answers[index]]))).toEqual(
        Object.fromEntries(sent.map((row) => [row[0], [row[2 + column], "{'key': [1]}", embed]])),
      )
    })

    test('Python receives what is large', () => {
      const answers = askPython(RECEIVE, LARGE.map(([, value, expression]) => [...write(name, value), expression])) as [boolean][]
      expect(LARGE.map(([what], index) => [what, answers[index]?.[0]])).toEqual(LARGE.map(([what]) => [what, true]))
    })

    test('we receive what the table says, or Python refuses', () => {
      const answers = askPython(SEND, RECEIVED.map(([code]) => [code, name])) as { refused?: string; body?: string; type?: string }[]

      const received = answers.map(({ refused, body = '', type = '' }) => {
        if (refused !== undefined) return refused
        return decodeBody({ body: Buffer.from(body, 'base64'), contentType: type, headers: {} }, ACCEPT).args[0]
      })
      const expected = RECEIVED.map((row) => [row[0], asMatcher(row[1 + column])])
      expect(RECEIVED.map(([code], index) => [code, received[index]])).toEqual(expected)
    })
  })
})

function asMatcher(expected: unknown): unknown {
  return expected instanceof RegExp ? expect.stringMatching(expected) : expected
}

/** A row whose value is the same in all serializers. */
function same(value: unknown): [unknown, unknown, unknown] {
  return [value, value, value]
}

/** A body with one argument, as Python's side takes it. */
function write(name: SerializerName, value: unknown): [body: string, contentType: string, contentEncoding: string] {
  const { contentEncoding, contentType } = SERIALIZERS[name]
  const kwargs = { key: [1] }
  const body = name === 'json' ? `[${stringifyWithTimes([value], 'args')}, ${JSON.stringify(kwargs)}, {}]` : serializeBody(name, [value], kwargs).body
  return [Buffer.from(body).toString('base64'), contentType, contentEncoding]
}

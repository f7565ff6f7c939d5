import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ContentDisallowed, DecodeError } from '../../src/errors.ts'
import { decodeBody, encodeBody, joinBody, plainArgumentsText } from '../../src/protocol/body.ts'
import { readTaskMessage } from '../../src/protocol/task-request.ts'
import { readsOrRefuses } from './attempt.ts'

const headers = { task: 't', id: 'x' }
const NO_EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }

function read(body: string | Uint8Array, options?: Parameters<typeof decodeBody>[1], contentType = 'application/json'): ReturnType<typeof decodeBody> {
  return decodeBody({ body, contentType, headers }, options)
}

describe('encodeBody', () => {
  test('writes args, kwargs and what comes after', () => {
    const link = { task: 'demo.mul', args: [2], kwargs: {}, options: {}, subtask_type: null, immutable: false }
    const embed = { ...NO_EMBED, callbacks: [link] }

    expect(read(encodeBody([1], { a: null }, embed))).toEqual({ args: [1], kwargs: { a: null }, embed })
    expect(read(encodeBody([], {}))).toEqual({ args: [], kwargs: {}, embed: NO_EMBED })
    expect(joinBody('[1]', '{}')).toBe('[[1], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]')
  })

  test('names the argument that cannot travel', () => {
    expect(() => encodeBody([1, { at: new Date() }], {})).toThrow('args[1].at is a Date')
    expect(() => encodeBody([], { at: new Date() })).toThrow('kwargs.at is a Date')
  })
})

describe('decodeBody', () => {
  test('reads bytes, an empty embed, and a single signature', () => {
    expect(read(Buffer.from('[["é"], {}, {}]'))).toEqual({ args: ['é'], kwargs: {}, embed: NO_EMBED })
    expect(read('[[], {}, null]').embed).toEqual(NO_EMBED)
    expect(read('[[], {}, {"callbacks": {"task": "a"}}]').embed.callbacks).toEqual([{ task: 'a' }])
  })

  test.each([
    ['[[], {}]', 'the body'],
    ['[[], {}, {}, 4]', 'the body'],
    ['null', 'the body'],
    ['5', 'the body'],
    ['', 'the body'],
    ['{"foo": 1}', 'the body'],
    ['["ab", {}, {}]', 'the arguments in the body'],
    ['[{"x": 1}, {}, {}]', 'the arguments in the body'],
    ['[[], null, {}]', 'the keyword arguments in the body'],
    ['[[], [], {}]', 'the keyword arguments in the body'],
    ['[[], {}, []]', 'the third item of the body'],
    ['[[], {}, {"chain": [1]}]', '"chain" in the body'],
    ['[[], {}, {"chord": []}]', '"chord" in the body'],
  ])('refuses %s and names %s', (body, what) => {
    expect(() => read(body)).toThrow(DecodeError)
    expect(() => read(body)).toThrow(`Cannot read ${what}: expected `)
  })

  test.each([
    ['[[], 2026-01-01, {}]', 'the keyword arguments in the body'],
    ['[[], !!set {a}, {}]', 'the keyword arguments in the body'],
    ['[[], !!binary "AAA=", {}]', 'the keyword arguments in the body'],
    ['[!!set {a}, {}, {}]', 'the arguments in the body'],
    ['[[], {}, !!set {a}]', 'the third item of the body'],
    ['[[], {}, {callbacks: [2026-01-01]}]', '"callbacks" in the body'],
    ['[[], {}, {chord: !!set {a}}]', '"chord" in the body'],
  ])('refuses what only looks like an object, %s, and names %s', (body, what) => {
    expect(() => read(body, { accept: ['yaml'] }, 'application/x-yaml')).toThrow(`Cannot read ${what}: expected `)
  })

  test('refuses a message of protocol 1 in anything but JSON', () => {
    const message = { body: '{task: a, id: b}', contentType: 'application/x-yaml', headers: {}, properties: {} }
    expect(() => readTaskMessage(message)).toThrow(ContentDisallowed)
    expect(() => readTaskMessage(message)).toThrow('is read as Celery\'s protocol 1, in JSON only. Let the sender use task_protocol = 2.')
  })

  test('refuses bytes that are not UTF-8', () => {
    expect(() => read(Buffer.from([0x5b, 0xff]))).toThrow('Cannot read the body: expected UTF-8 text')
  })

  test.each([
    ['application/x-python-serialize', 'Refusing to read pickle (application/x-python-serialize): reading pickle runs code'],
    ['application/x-msgpack', 'Refusing to read msgpack (application/x-msgpack): it is not in "acceptContent". Add "msgpack" there'],
    ['application/x-yaml', 'Refusing to read yaml (application/x-yaml): it is not in "acceptContent". Add "yaml" there'],
    ['application/data', 'Refusing to read auth (application/data): it is not one of json, msgpack and yaml.'],
    ['constructor', 'Refusing to read content of an unknown kind (constructor)'],
  ])('refuses %s with the reason and the remedy', (contentType, message) => {
    expect(() => read('', {}, contentType)).toThrow(ContentDisallowed)
    expect(() => read('', {}, contentType)).toThrow(message)
    expect(() => read('', {}, contentType)).toThrow('et the sender use task_serializer = "json".')
  })

  test('refuses JSON where it is not accepted', () => {
    expect(() => read('[[], {}, {}]', { accept: ['msgpack'] })).toThrow('it is not in "acceptContent"')
    expect(read('[[], {}, {}]', { accept: ['application/json'] }).args).toEqual([])
  })

  test('refuses a body that is too large', () => {
    expect(() => read('[["xxxxxxxxxx"], {}, {}]', { maxSize: 10 })).toThrow('The body is larger than 10 bytes.')
  })

  test('never throws anything but DecodeError and ContentDisallowed', () => {
    const body = fc.oneof(fc.string(), fc.json(), fc.uint8Array(), fc.tuple(fc.jsonValue(), fc.jsonValue(), fc.jsonValue()).map((parts) => JSON.stringify(parts)))
    const compression = fc.option(fc.oneof(fc.constantFrom('zlib', 'brotli', 'zstd'), fc.jsonValue()), { nil: undefined })
    const contentType = fc.oneof(fc.constantFrom('application/json', 'application/x-msgpack', 'application/x-yaml'), fc.string())
    const refused = fc.property(body, compression, contentType, (content, method, type) =>
      readsOrRefuses(() => decodeBody({ body: content, contentType: type, headers: { compression: method } }, { accept: ['json', 'msgpack', 'yaml'], restoreTypes: true })),
    )
    expect(() => fc.assert(refused, { numRuns: 1000 })).not.toThrow()
  })
})

test('the arguments of a plain body are taken out of it as they are, of ours and of Python alike', () => {
  const of = (body: string, contentType = 'application/json'): string | undefined => plainArgumentsText({ body, contentType })
  const embed = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}'

  expect(of(encodeBody([1, 'é, {}', { a: [] }], {}))).toBe('[1,"é, {}",{"a":[]}]')
  expect(of(`[[2, NaN], {}, ${embed}]`)).toBe('[2, NaN]')
  expect(of(`[[], {}, ${embed}]`)).toBe('[]')
  expect(of(encodeBody([1], { y: 2 }))).toBeUndefined()
  expect(of(encodeBody([1], {}, { callbacks: [{ task: 'next' }], errbacks: null, chain: null, chord: null }))).toBeUndefined()
  expect(of(`{"args": [[], {}, ${embed}]`)).toBeUndefined()
  expect(of(encodeBody([1], {}), 'application/x-msgpack')).toBeUndefined()
})

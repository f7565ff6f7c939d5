import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Layout } from '../../src/brokers/sqlite/layout.ts'
import { readStoredMessage, storeMessage } from '../../src/brokers/sqlite/stored-message.ts'
import { buildTaskMessage } from '../../src/protocol/message.ts'

const NAMES = ['a', 'b']
const layout = new Layout(NAMES)

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

test('gives back the fields that were packed, in their order, whatever they are', () => {
  const others = fc.dictionary(fc.string(), fc.jsonValue())
  const anything = fc.oneof(others, fc.tuple(fc.jsonValue(), fc.jsonValue(), others).map(([a, b, more]) => ({ a, b, ...more })))
  fc.assert(
    fc.property(anything, (fields) => {
      expect(JSON.stringify(layout.unpack(throughJson(layout.pack(fields))))).toBe(JSON.stringify(throughJson(fields)))
    }),
  )
})

test.each([
  [{ a: 1, b: null }, [[1, null]]],
  [{ a: 1, b: 2, c: 3 }, [[1, 2], { c: 3 }]],
  [{ a: 1 }, { a: 1 }],
  [{ a: undefined, b: 2 }, { b: 2 }],
  [{ b: 2, a: 1 }, { b: 2, a: 1 }],
  [{}, {}],
])('packs %o as %o', (fields, packed) => {
  expect(throughJson(layout.pack(fields))).toEqual(packed)
})

test.each([null, 5, 'text', [], [[1]], [[1, 2, 3]], [[1, 2], []], [{ a: 1, b: 2 }]])('does not take %j for packed fields', (value) => {
  expect(layout.unpack(value)).toBeUndefined()
})

test('a task is stored without the names of its headers and properties, and read back as it was', () => {
  const message = buildTaskMessage({ id: 'i', task: 't', queue: 'q', origin: 'o', replyTo: 'r', args: [1], headers: { own: { x: 1 } } })

  const { envelope, body } = storeMessage(message)

  expect(envelope).toContain('"own"')
  for (const name of ['"argsrepr"', '"stamps"', '"correlation_id"']) expect(envelope).not.toContain(name)
  expect(readStoredMessage(envelope, body)).toEqual(message)
})

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'

import { MessageReader } from '../../src/brokers/redis/message-reader.ts'
import { type ReadMessage, storeMessage, tryReadMessage } from '../../src/brokers/redis/stored-message.ts'
import { joinBody } from '../../src/protocol/body.ts'
import { buildTaskMessage, type Message, SIGNATURE_HEADER } from '../../src/protocol/message.ts'
import { FormedMessage } from '../../src/protocol/message-form.ts'
import { argsRepr } from '../../src/protocol/repr.ts'
import { newTaskId } from '../../src/protocol/task-id.ts'

const NOW = Date.UTC(2026, 10, 20)

interface Sent {
  readonly args: readonly unknown[]
  readonly task?: string
  readonly signature?: string
  readonly priority?: number
  readonly headers?: Readonly<Record<string, unknown>>
  readonly rootId?: string
}

/** An element as we put it into a list. */
function ours({ args, task = 'demo.add', signature = 'v1.sig-1', priority = 0, headers, rootId }: Sent): string {
  const message = buildTaskMessage({ id: newTaskId(NOW), task, queue: 'q', origin: 'gen1@test', replyTo: 'reply', args, headers: { ...headers, [SIGNATURE_HEADER]: signature }, rootId, priority })
  return storeMessage({ queue: 'q', message, priority }, NOW).text
}

/** One as kombu writes it. */
function pythons(id: string, args: readonly unknown[]): string {
  const json = (value: unknown): string => JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "').replace(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const headers = { lang: 'py', task: 'tasks.add', id, shadow: null, eta: null, expires: null, group: null, group_index: null, retries: 0, timelimit: [null, null], root_id: id, parent_id: null, argsrepr: argsRepr(args), kwargsrepr: '{}', origin: 'gen7@host', ignore_result: false }
  const properties = { correlation_id: id, reply_to: 'reply', delivery_mode: 2, delivery_info: { exchange: '', routing_key: 'q' }, priority: 0, body_encoding: 'base64', delivery_tag: `tag of ${id}` }
  return json({ body: Buffer.from(joinBody(json(args), '{}')).toString('base64'), 'content-encoding': 'utf-8', 'content-type': 'application/json', headers, properties })
}

/** What a reading says, whatever it is made of. */
function said(read: ReadMessage | string): unknown {
  if (typeof read === 'string') return read
  const { body, contentEncoding, contentType, headers, properties } = read.message
  return { ...read, message: { body, contentEncoding, contentType, headers, properties } }
}

function isFormed(read: ReadMessage | string): boolean {
  return typeof read !== 'string' && read.message instanceof FormedMessage
}

const anyArgs = fc.array(fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', ', "id":"', '"}}', '$&')), { maxLength: 4 })

describe('a reader of messages', () => {
  test('reads all after the first of a form by their form, and as it would have without', () => {
    const reader = new MessageReader()
    const read = (text: string): boolean => {
      const found = reader.read(text)
      expect(said(found)).toEqual(said(tryReadMessage(text)))
      return isFormed(found)
    }
    read(ours({ args: [0, 1] }))

    fc.assert(fc.property(anyArgs, (args) => {
      expect(read(ours({ args }))).toBe(true)
    }))
  })

  test('reads those of Python so too', () => {
    const reader = new MessageReader()
    reader.read(pythons('first', [1]))

    fc.assert(fc.property(fc.uuid(), anyArgs, (id, args) => {
      const text = pythons(id, args)
      expect(said(reader.read(text))).toEqual(said(tryReadMessage(text)))
    }))
    expect(isFormed(reader.read(pythons('last', ["it's", 'é'])))).toBe(true)
  })

  test('tells forms apart', () => {
    const reader = new MessageReader()
    const texts = [ours({ args: [1] }), ours({ args: [1], task: 'demo.mul' }), ours({ args: [1], priority: 5 }), ours({ args: [1], headers: { 'x-mine': 'é' } }), ours({ args: [1], rootId: 'another' }), pythons('p', [1])]

    for (const text of [...texts, ...texts.toReversed()]) expect(said(reader.read(text))).toEqual(said(tryReadMessage(text)))

    expect(texts.map((text) => isFormed(reader.read(text)))).toEqual([true, true, true, true, false, true])
  })

  test('reads any text that is nearly of a known form as it would have without', () => {
    const known = [ours({ args: [1, 'two'] }), pythons('p', [1])]
    const reader = new MessageReader()
    for (const text of [...known, ...known]) reader.read(text)

    fc.assert(fc.property(fc.constantFrom(...known), fc.nat(), fc.nat({ max: 3 }), fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', '\\', '\n', '\\u', '=', '1')), (text, where, cut, put) => {
      const at = where % text.length
      const changed = text.slice(0, at) + put + text.slice(at + cut)
      expect(said(reader.read(changed))).toEqual(said(tryReadMessage(changed)))
    }), { numRuns: 5000 })
  })

  test.each([
    ['twice', { 'x-copy': 'v1.sig-1' }],
    ['as its own key', { 'v1.sig-1': 1 }],
  ])('learns no form where a text of a message\'s own stands %s', (_, headers) => {
    const reader = new MessageReader()
    const texts = [ours({ args: [1], headers }), ours({ args: [2], headers })]

    for (const text of texts) expect(isFormed(reader.read(text))).toBe(false)
  })

  test.each([
    ['a header that is no number', '"stamps":{}', '"stamps":{},"own":NaN'],
    ['a big integer in a header', '"stamps":{}', '"stamps":{},"own":[12345678901234567890]'],
    ['a big integer in a property', '"correlation_id"', '"own":12345678901234567890,"correlation_id"'],
    ['a header nested deeper than what we write', '"stamps":{}', `"stamps":{},"own":${'['.repeat(900)}${']'.repeat(900)}`],
    ['something of its own beside them that is no number', '"body"', '"own": Infinity, "body"'],
  ])('reads a text with %s as it would have without, and it can be written again', (_, from, to) => {
    const reader = new MessageReader()
    for (const args of [[1], [2], [3]]) {
      const text = ours({ args }).replace(from, to)
      expect(text).toContain(to)

      const read = reader.read(text)

      expect(said(read)).toEqual(said(tryReadMessage(text)))
      const { message } = read as { message: Message }
      expect(said(tryReadMessage(storeMessage({ queue: 'q', message }, NOW).text))).toMatchObject({ message: { headers: message.headers, properties: message.properties } })
    }
  })

  test('keeps no more than a few forms, and learns none for ever', () => {
    const parse = vi.spyOn(JSON, 'parse')
    const reader = new MessageReader()
    const texts = Array.from({ length: 500 }, (_, index) => ours({ args: [1], task: `task${index}` }))
    parse.mockClear()

    for (const text of texts) reader.read(text)

    // Once each, and a few times more for those that were learnt.
    expect(parse.mock.calls.length).toBeLessThan(texts.length + 10 * 4)
    parse.mockRestore()
  })

  test('learns what is common in the end, whatever came first', () => {
    const reader = new MessageReader()
    for (let index = 0; index < 300; index += 1) reader.read(ours({ args: [1], task: `task${index}` }))

    const formed = Array.from({ length: 300 }, (_, index) => isFormed(reader.read(ours({ args: [index] }))))

    expect(formed.at(-1)).toBe(true)
  })
})

test('a message that was read by its form is written again as it was', () => {
  const reader = new MessageReader()
  reader.read(ours({ args: [1] }))
  const { message } = reader.read(ours({ args: ['again'] })) as { message: Message }

  const { text } = storeMessage({ queue: 'q', message }, NOW)

  expect(message).toBeInstanceOf(FormedMessage)
  expect(said(tryReadMessage(text))).toMatchObject({ message: { headers: message.headers, properties: message.properties, body: message.body } })
})

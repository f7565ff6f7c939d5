import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMessage, storeMessage, tryReadMessage } from '../../src/brokers/redis/stored-message.ts'
import { joinBody } from '../../src/protocol/body.ts'
import type { Message } from '../../src/protocol/message.ts'
import { MessageForm } from '../../src/protocol/message-form.ts'
import { newTaskId } from '../../src/protocol/task-id.ts'
import { publication } from '../conformance/broker-fixture.ts'
import { goldenMessages, goldenNames } from '../protocol/golden.ts'

const NOW = 1_767_225_600_123.001

test('gives back any message as it was, under a tag of its own each time', () => {
  const messages = fc.record({
    body: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 1 })),
    contentType: fc.string(),
    contentEncoding: fc.constant('binary'),
    headers: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()))),
    properties: fc.record({ correlation_id: fc.string(), delivery_info: fc.constant({ exchange: 'x', routing_key: '}", "q"]' }), reply_to: fc.string() }, { requiredKeys: [] }),
  })

  const survives = fc.property(messages, fc.integer({ min: 0, max: 9 }), (message, priority) => {
    const { text } = storeMessage({ queue: 'q', message, priority }, NOW)
    const read = readMessage(text)
    expect({ ...read.message, body: Buffer.from(read.message.body) }).toEqual({ ...message, body: Buffer.from(message.body) })
    expect(read).toMatchObject({ losses: 0, publishedAtMs: Math.floor(NOW) })
    expect(storeMessage({ queue: 'q', message, priority }, NOW).text).not.toBe(text)
  })

  expect(() => fc.assert(survives, { numRuns: 300 })).not.toThrow()
})

test.each(goldenNames('messages').flatMap((name) => goldenMessages('messages', name).map((one) => [one.file, one.message] as const)))('reads what Celery sent in %s', (_file, message) => {
  const { properties, ...rest }: Message = message
  const { delivery_tag: _tag, ...others } = properties
  const envelope = { body: Buffer.from(rest.body).toString('base64'), 'content-type': rest.contentType, 'content-encoding': rest.contentEncoding, headers: {}, properties: { delivery_info: {}, ...properties, delivery_tag: 't', body_encoding: 'base64' } }

  expect(readMessage(JSON.stringify(envelope))).toMatchObject({ message: { body: rest.body, properties: others }, losses: 0, publishedAtMs: undefined })
})

test.each([[undefined, 0], ['v1.signature', 0], ['v1.signature', 5]])('writes a message of a form as any other, signed %s, with priority %i', (signature, priority) => {
  const form = MessageForm.build({ task: 'add', queue: 'q', origin: 'gen1@test', replyTo: 'reply', priority, shadow: '"', headers: { 'x-mine': [1] } })
  const message = form.message(newTaskId(NOW), "('é', 1)", joinBody('["é",1]', '{}'))
  if (signature !== undefined) message.signature = signature
  const { body, contentEncoding, contentType, headers, properties } = message
  const plain: Message = { body, contentType, contentEncoding, headers, properties }

  const [formed, other] = [message, plain].map((one) => storeMessage({ queue: 'q', message: one, priority }, NOW))

  const untagged = (text: string | undefined): string | undefined => text?.replace(/"delivery_tag":"[0-9a-f-]{36}"/, '"delivery_tag":""')
  expect(untagged(formed?.text)).toBe(untagged(other?.text))
  expect(formed?.urgency).toBe(priority)
  expect(readMessage(formed?.text ?? '').message).toEqual(plain)
})

test('does not mistake what a message says for what we say of it', () => {
  const { message } = publication('x')
  const sly = { ...message, headers: { id: 'x', text: '{"celeriac-losses": 7, "celeriac-priority": 9, ' } }

  expect(readMessage(storeMessage({ queue: 'q', message: sly }, NOW).text)).toMatchObject({ losses: 0, message: sly })
})

test('still reads our part after Python has written it anew', () => {
  const { text } = storeMessage({ queue: 'q', message: publication('x').message, priority: 3 }, NOW)
  const spaced = `{"celeriac-losses": 2, ${text.slice(1).replaceAll('":"', '": "').replaceAll('","', '", "').replaceAll(',"', ', "')}`

  expect(readMessage(spaced)).toMatchObject({ losses: 2, publishedAtMs: Math.floor(NOW), message: publication('x').message })
})

test('says what is wrong instead of throwing', () => {
  expect(tryReadMessage('[]')).toContain('Cannot read the message')
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/errors.ts'
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts'
import { buildTaskMessage, type Message } from '../../src/protocol/message.ts'
import { readsOrRefuses } from './attempt.ts'

const message: Message = {
  body: '[["é"], {}, {}]',
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  headers: { id: 'x', large: 2n ** 64n },
  properties: { delivery_tag: 't', delivery_info: { exchange: '', routing_key: 'celery' } },
}

describe('an envelope', () => {
  test('gives back the message that was put in', () => {
    expect(decodeEnvelope(encodeEnvelope(message))).toEqual(message)
  })

  test('keeps bytes as bytes', () => {
    const binary = { ...message, body: Buffer.from([255, 0, 254]), contentEncoding: 'binary' }
    const compressed = buildTaskMessage({ id: 'x', task: 't', queue: 'q', origin: 'o', replyTo: 'r', args: ['x'], compression: 'zlib' })

    expect(decodeEnvelope(encodeEnvelope(binary))).toEqual(binary)
    expect(decodeEnvelope(encodeEnvelope(compressed)).body).toEqual(compressed.body)
  })

  test('gives every message that has none a delivery tag of its own', () => {
    const built = buildTaskMessage({ id: 'x', task: 't', queue: 'q', origin: 'o', replyTo: 'r' })

    const tags = [built, built].map((each) => decodeEnvelope(encodeEnvelope(each)).properties['delivery_tag'])

    expect(tags).toEqual([expect.any(String), expect.any(String)])
    expect(new Set(tags).size).toBe(2)
  })

  test('keeps a body that says it is text and is not', () => {
    const broken = { ...message, body: Buffer.from('[["\xff"], {}, {}]', 'latin1') }
    expect(decodeEnvelope(encodeEnvelope(broken)).body).toEqual(broken.body)
  })

  test.each([
    ['hello', 'the message'],
    ['5', 'the message'],
    ['{}', '"body" of the message'],
    ['{"body": "", "properties": null}', '"properties" of the message'],
    ['{"body": "", "properties": {}}', 'property "delivery_tag"'],
    ['{"body": "", "properties": {"delivery_tag": "t"}}', 'property "delivery_info"'],
    ['{"body": "!!!", "properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "base64"}}', '"body" of the message'],
  ])('%s is refused for %s', (text, what) => {
    expect(() => decodeEnvelope(text)).toThrow(DecodeError)
    expect(() => decodeEnvelope(text)).toThrow(`Cannot read ${what}: expected `)
  })

  test('never throws anything but a DecodeError', () => {
    const element = fc.record(
      {
        body: fc.oneof(fc.base64String(), fc.string(), fc.jsonValue()),
        'content-type': fc.jsonValue(),
        'content-encoding': fc.oneof(fc.constant('binary'), fc.jsonValue()),
        headers: fc.jsonValue(),
        properties: fc.oneof(fc.jsonValue(), fc.constant({ delivery_tag: 't', delivery_info: {}, body_encoding: 'base64' })),
      },
      { requiredKeys: [] },
    )
    const refused = fc.property(element, (value) => readsOrRefuses(() => decodeEnvelope(JSON.stringify(value))))
    expect(() => fc.assert(refused, { numRuns: 500 })).not.toThrow()
  })
})

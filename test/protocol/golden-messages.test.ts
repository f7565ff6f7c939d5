import { describe, expect, test } from 'vitest'
import { ContentDisallowed, DecodeError } from '../../src/errors.ts'
import { decodeBody } from '../../src/protocol/body.ts'
import { isObject } from '../../src/protocol/malformed.ts'
import { type Message, readTaskMessage } from '../../src/protocol/message.ts'
import { golden, goldenMessages, goldenNames, inGoldenNotation } from './golden.ts'

/** Captures in formats that are not read, each with the error that says so. */
const UNREADABLE: Readonly<Record<string, { readonly error: typeof DecodeError | typeof ContentDisallowed; readonly message: string }>> = {
  auth: { error: ContentDisallowed, message: 'Refusing to read auth (application/data): it is not one of json, msgpack and yaml.' },
  celery56_auth: { error: ContentDisallowed, message: 'Refusing to read auth (application/data): it is not one of json, msgpack and yaml.' },
  pickle: { error: ContentDisallowed, message: 'Refusing to read pickle' },
  deep_args: { error: ContentDisallowed, message: 'Refusing to read pickle' },
  bzip2: { error: DecodeError, message: 'Compression "application/x-bz2" is not supported' },
  lzma: { error: DecodeError, message: 'Compression "application/x-lzma" is not supported' },
}

/** Captures that hold no message of their own. */
const WITHOUT_MESSAGES = ['bytes_json', 'celery56_signatures', 'signatures', 'worker_acceptance']

const NAMES = goldenNames('messages')

function read(message: Message): unknown {
  const request = readTaskMessage(message)
  const { args, kwargs, embed } = decodeBody(message, { accept: ['json', 'msgpack', 'yaml'] })
  if (request.protocol === 2) return inGoldenNotation([args, kwargs, embed])
  return inGoldenNotation({ task: request.task, id: request.id, args, kwargs, callbacks: embed.callbacks, errbacks: embed.errbacks, chord: embed.chord })
}

/** The fields of protocol 1 that its body is read for. */
function asRead(decoded: unknown): unknown {
  if (!isObject(decoded)) return decoded
  const { task, id, args, kwargs, callbacks, errbacks, chord } = decoded
  return { task, id, args, kwargs, callbacks, errbacks, chord }
}

describe('messages that Celery sent', () => {
  test('are all tested', () => {
    const withMessages = NAMES.filter((name) => goldenMessages('messages', name).length > 0)
    expect(NAMES.length).toBeGreaterThan(90)
    expect([...withMessages, ...WITHOUT_MESSAGES].toSorted()).toEqual(NAMES.toSorted())
    expect(Object.keys(UNREADABLE).filter((name) => !NAMES.includes(name))).toEqual([])
  })

  test.each(NAMES.filter((name) => UNREADABLE[name] === undefined && !WITHOUT_MESSAGES.includes(name)))('%s is read', (name) => {
    // What a capture does not decode (only RabbitMQ's compressed body) has just to be readable.
    for (const { message, decoded = read(message) } of goldenMessages('messages', name)) {
      expect(read(message)).toEqual(asRead(decoded))
    }
  })

  test.each(Object.entries(UNREADABLE))('%s is refused, with the reason', (name, { error, message }) => {
    for (const captured of goldenMessages('messages', name)) {
      expect(() => readTaskMessage(captured.message)).not.toThrow()
      expect(() => decodeBody(captured.message)).toThrow(error)
      expect(() => decodeBody(captured.message)).toThrow(message)
    }
  })

  test('carry signatures with the fields that we read', () => {
    for (const name of ['signatures', 'celery56_signatures']) {
      const signatures = Object.values(golden('messages', name)['signatures'] as Readonly<Record<string, unknown>>)
      expect(signatures.length).toBeGreaterThan(0)
      for (const signature of signatures) expect(signature).toMatchObject({ task: expect.any(String), options: expect.any(Object) })
    }
  })
})

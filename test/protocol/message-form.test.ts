import { describe, expect, test } from 'vitest'
import { joinBody } from '../../src/protocol/body.ts'
import { buildTaskMessage, type Message, SIGNATURE_HEADER } from '../../src/protocol/message.ts'
import { commonHeaders, formText, type FormedMessage, MessageForm, type MessageFormInput, readRequest } from '../../src/protocol/message-form.ts'
import { argsRepr } from '../../src/protocol/repr.ts'
import { newTaskId } from '../../src/protocol/task-id.ts'

const INPUT: MessageFormInput = { task: 'demo.add', queue: 'celery', origin: 'gen1@test', replyTo: 'reply' }

/** Everything that a form may say besides. */
const FULL: MessageFormInput = { ...INPUT, priority: 7, shadow: 'a "name"', ignoreResult: true, headers: { 'x-where': { t: 'm', p: ['add'] } } }

function messageOf(form: MessageForm, id: string, args: readonly unknown[]): FormedMessage {
  return form.message(id, argsRepr(args), joinBody(JSON.stringify(args), '{}'))
}

describe.each([['least', INPUT], ['most', FULL]])('of a form that says the %s', (_, input) => {
  test.each([[[]], [[1, 2]], [["it's", '"quoted"', '日本\n']]])('a message is what is built for %j, in the same order', (args) => {
    const form = MessageForm.build(input)
    const id = newTaskId(Date.now())

    const { body, contentEncoding, contentType, headers, properties } = messageOf(form, id, args)

    expect(JSON.stringify({ body, contentType, contentEncoding, headers, properties })).toBe(JSON.stringify(buildTaskMessage({ ...input, id, args })))
  })

  test('messages fill in the text of the form with what is their own', () => {
    const form = MessageForm.build(input)
    const text = formText(JSON.stringify([form.headers, form.properties]))

    const written = [['a'], ['"', 2]].map((args) => {
      const message = messageOf(form, newTaskId(Date.now()), args)
      const pieces = ['before ']
      message.fill(text, pieces)
      return { message, text: pieces.join('') }
    })

    for (const { message, text: filled } of written) expect(filled).toBe(`before ${JSON.stringify([message.headers, message.properties])}`)
  })
})

test('a signature is the last header, whenever the others were read', () => {
  const message = messageOf(MessageForm.build(FULL), newTaskId(Date.now()), [1])
  const before = message.headers

  message.signature = 'v1.signature'

  expect(JSON.stringify(message.headers)).toBe(JSON.stringify({ ...before, [SIGNATURE_HEADER]: 'v1.signature' }))
})

test('what messages have in common is known without what is their own', () => {
  const message = messageOf(MessageForm.build(FULL), newTaskId(Date.now()), [1])

  expect(commonHeaders(message)).toMatchObject({ 'task': 'demo.add', 'eta': null, 'x-where': { t: 'm', p: ['add'] } })
  expect(commonHeaders({ headers: { eta: 'now' } })).toEqual({ eta: 'now' })
})

test('what a task sees of one message cannot change what the next one of the form says', () => {
  const form = MessageForm.build(FULL)
  const { headers } = readRequest(messageOf(form, newTaskId(Date.now()), [1]))

  expect(() => ((headers['x-where'] as { t: string }).t = 'changed')).toThrow(TypeError)
  expect(() => Object.assign(headers, { more: 1 })).toThrow(TypeError)

  expect(readRequest(messageOf(form, newTaskId(Date.now()), [2])).headers).toEqual({ 'x-where': { t: 'm', p: ['add'] } })
})

test('a request is that of any other message which says the same', () => {
  const form = MessageForm.build(FULL)
  const message = messageOf(form, newTaskId(Date.now()), ['a'])
  message.signature = 'v1.signature'
  const { body, contentEncoding, contentType, headers, properties } = message

  expect(readRequest(message)).toEqual(readRequest({ body, contentEncoding, contentType, headers, properties } as Message))
})

import { expect, test } from 'vitest'

import type { TaskContent } from '../../src/pool.ts'
import { MessagePacker, MessageUnpacker, type PipedMessage } from '../../src/pools/piped-messages.ts'
import { commonHeaders, type FormedMessage, MessageForm, readRequest, signatureOf } from '../../src/protocol/message-form.ts'

const PLAIN: TaskContent = { body: '[]', contentType: 'application/json', contentEncoding: 'utf-8', headers: { lang: 'js', id: 'a', task: 't', 'x-mine': [1] } }

/** A pipe, and what has crossed it. */
function openPipe(): { crossed: string[]; send: (id: string, message: TaskContent) => TaskContent } {
  const crossed: string[] = []
  const packer = new MessagePacker()
  const unpacker = new MessageUnpacker()
  return {
    crossed,
    send(id, message) {
      const text = JSON.stringify(packer.pack(message))
      crossed.push(text)
      return unpacker.unpack(id, JSON.parse(text) as PipedMessage)
    },
  }
}

function formOf(task: string): MessageForm {
  return MessageForm.build({ task, queue: 'q', origin: 'gen1@test', replyTo: 'reply', headers: { 'x-where': task } })
}

test('a body of text or bytes comes out of the pipe as it went in', () => {
  const { send } = openPipe()

  expect(send('a', { ...PLAIN, body: 'grüße \u2028 😀' })).toEqual({ ...PLAIN, body: 'grüße \u2028 😀' })
  expect(send('b', { ...PLAIN, body: new Uint8Array([0, 1, 254, 255]) }).body).toEqual(Buffer.from([0, 1, 254, 255]))
})

test('headers come out as they went in, also those that JSON refuses or rounds', () => {
  const { send } = openPipe()
  const headers = { ...PLAIN.headers, 'x-big': 2n ** 64n, 'x-mine': [{ rate: NaN }, -Infinity] }
  // As deep as what we read, deeper than what we write.
  const deep = JSON.parse('['.repeat(990) + ']'.repeat(990)) as unknown

  for (const own of [deep, [NaN, deep]]) {
    expect(JSON.stringify(send('c', { ...PLAIN, headers: { own } }).headers)).toBe(JSON.stringify({ own }))
  }
  expect(send('a', { ...PLAIN, headers })).toEqual({ ...PLAIN, headers })
  expect(commonHeaders(send('b', new MessageForm({ task: 't', 'x-big': 2n ** 64n }, {}).message('b', '()', '[]')))['x-big']).toBe(2n ** 64n)
})

test('messages of a form come out as themselves, and what they have in common crosses once', () => {
  const { crossed, send } = openPipe()
  const forms = [formOf('first'), formOf('second')]
  const sent = Array.from({ length: 6 }, (_, index): FormedMessage => {
    const message = (forms[index % 2] as MessageForm).message(`id${index}`, `(${index},)`, `[[${index}], {}, null]`)
    if (index > 2) message.signature = `v1.${index}`
    return message
  })

  const received = sent.map((message) => send(message.id, message))

  for (const [index, message] of received.entries()) {
    expect(message.body).toBe(sent[index]?.body)
    expect(signatureOf(message)).toBe(sent[index]?.signature)
    expect(readRequest(message)).toMatchObject({ id: `id${index}`, rootId: `id${index}`, task: index % 2 === 0 ? 'first' : 'second', headers: { 'x-where': index % 2 === 0 ? 'first' : 'second' } })
  }
  expect(crossed.map((text) => text.includes('x-where'))).toEqual([true, true, false, false, false, false])
})

test('more forms than a child keeps still come out as themselves, and those that were dropped cross anew', () => {
  const { send } = openPipe()
  const forms = Array.from({ length: 70 }, (_, index) => formOf(`task${index}`))

  for (const round of [1, 2]) {
    const received = forms.map((form, index) => send(`id${index}`, form.message(`id${index}`, '()', `[[${round}], {}, null]`)))
    expect(received.map((message) => commonHeaders(message)['task'])).toEqual(forms.map((_, index) => `task${index}`))
  }
})

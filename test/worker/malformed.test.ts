import { afterAll, beforeAll, expect, test } from 'vitest'

import { DecodeError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { type StoredRow, StoredMessages, unsigned } from '../support/stored-messages.ts'
import * as tasks from './fixtures/tasks.ts'

const LARGEST = 100_000
const PICKLE = 'application/x-python-serialize'

failOnLeftovers()

let application: TestApplication
let running: TestWorker
let messages: StoredMessages

beforeAll(async () => {
  application = testApplication({ taskMessageMaxSize: LARGEST })
  running = await application.startWorker()
  messages = new StoredMessages(application)
})

afterAll(async () => {
  messages.close()
  await application.close()
})

test.each<[string, (row: StoredRow) => Partial<StoredRow>, RegExp]>([
  ['an envelope that is cut off', ({ envelope }) => ({ envelope: envelope.slice(0, 40) }), /envelope is not JSON/],
  ['an envelope of bytes', () => ({ envelope: new Uint8Array([0, 255, 1]) as never }), /envelope/],
  ['an envelope without headers', ({ envelope }) => ({ envelope: envelope.replace('"headers"', '"footers"') }), /headers/],
  ['headers without an id', ({ envelope }) => ({ envelope: envelope.replace(/"id":"[^"]*"/, '"id":null') }), /id/],
  ['an eta that is no time', ({ envelope }) => ({ envelope: envelope.replace('"eta":null', '"eta":"soon"') }), /eta/],
  ['a body that is cut off', ({ body }) => ({ body: body.slice(0, 9) }), /body|JSON/i],
  ['a body of two items', () => ({ body: '[[1],{}]' }), /body/i],
  ['a body that is NULL', () => ({ body: null as never }), /body/i],
  ['a body that is too large', () => ({ body: `["${'x'.repeat(LARGEST)}"]` }), /100013 bytes|bytes, more than the 100000/],
  ['a content type that is refused', ({ envelope }) => ({ envelope: envelope.replace('application/json', PICKLE) }), /x-python-serialize/],
])('a stored message with %s is kept as a dead letter with the reason, and the worker goes on', async (_what, spoil, reason) => {
  const { celery } = application
  const broker = await application.broker()
  const before = (await broker.deadLetters({ limit: 1_000 })).length

  await storeSpoilt(spoil)

  await expect.poll(async () => (await broker.deadLetters({ limit: 1_000 })).length, { timeout: 5_000 }).toBe(before + 1)
  const [letter] = await broker.deadLetters({ limit: 1 })
  expect(letter).toMatchObject({ queue: 'celery', reason: 'malformed', detail: expect.stringMatching(reason) as string })
  expect(await running.log.says(/Message to the dead-letter queue/)).toMatch(/^error/)
  expect(await celery.submit(tasks.add, 1, 2).result({ timeout: 5 })).toBe(3)
})

test.each<[string, (row: StoredRow) => Partial<StoredRow>]>([
  ['arguments', ({ body }) => ({ body: body.slice(0, 9) })],
  ['eta', ({ envelope }) => ({ envelope: envelope.replace('"eta":null', '"eta":"soon"') })],
  ['size', () => ({ body: `["${'x'.repeat(LARGEST)}"]` })],
])('a task whose %s cannot be read fails, so that nobody waits for it for ever', async (_what, spoil) => {
  const future = application.celery.get(await storeSpoilt(spoil))

  expect(await future.exception({ timeout: 5 })).toBeInstanceOf(DecodeError)
})

/** What is malformed is not signed: of what is, a change is seen before anything is read. */
function storeSpoilt(spoil: (row: StoredRow) => Partial<StoredRow>): Promise<string> {
  return messages.spoil((sender) => sender.submit(tasks.add, 1, 2), (row) => ({ ...unsigned(row), ...spoil(unsigned(row)) }))
}

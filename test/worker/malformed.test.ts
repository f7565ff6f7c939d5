import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { DecodeError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

const LARGEST = 100_000
const PICKLE = 'application/x-python-serialize'

failOnLeftovers()

let application: TestApplication
let running: TestWorker
let database: DatabaseSync

beforeAll(async () => {
  application = testApplication({ taskMessageMaxSize: LARGEST })
  running = await application.startWorker()
  database = new DatabaseSync(join(application.folder, 'queue.db'), { timeout: 4_000 })
})

afterAll(async () => {
  database.close()
  await application.close()
})

test.each<[string, (row: Row) => Partial<Row>, RegExp]>([
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

test.each<[string, (row: Row) => Partial<Row>]>([
  ['arguments', ({ body }) => ({ body: body.slice(0, 9) })],
  ['eta', ({ envelope }) => ({ envelope: envelope.replace('"eta":null', '"eta":"soon"') })],
  ['size', () => ({ body: `["${'x'.repeat(LARGEST)}"]` })],
])('a task whose %s cannot be read fails, so that nobody waits for it for ever', async (_what, spoil) => {
  const future = application.celery.get(await storeSpoilt(spoil))

  expect(await future.exception({ timeout: 5 })).toBeInstanceOf(DecodeError)
})

interface Row {
  readonly envelope: string
  readonly body: string
}

/** Sends a task and changes what is stored of it before a worker can see it; the task's id. */
async function storeSpoilt(spoil: (row: Row) => Partial<Row>): Promise<string> {
  const { celery } = application
  const future = await celery.with({ queue: 'workshop' }).submit(tasks.add, 1, 2)
  const { id, ...row } = database.prepare('SELECT id, envelope, body FROM message ORDER BY id DESC LIMIT 1').get() as unknown as Row & { id: number }
  const { envelope, body } = { ...row, ...spoil(row) }
  database.exec('BEGIN IMMEDIATE')
  database.prepare('UPDATE message SET envelope = ?, body = ? WHERE id = ?').run(envelope, body, id)
  database.prepare(`UPDATE ready SET queue = 'celery' WHERE id = ?`).run(id)
  database.exec('COMMIT')
  return future.id
}

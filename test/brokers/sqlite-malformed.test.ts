import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { collect, publication, publications } from '../conformance/broker-fixture.ts'
import { sqliteFixture } from './sqlite-fixture.ts'

const ENVELOPE = JSON.stringify({ contentType: 'application/json', contentEncoding: 'utf-8', headers: {}, properties: {} })

test.each([
  ['an envelope that is not JSON', '{', '[]', 'is not JSON'],
  ['an envelope that is a list', '[]', '[]', 'is an array, expected an object'],
  ['no envelope', null, '[]', 'The envelope is missing'],
  ['an envelope of bytes', new Uint8Array([0xff]), '[]', 'expected JSON text'],
  ['no content type', ENVELOPE.replace('contentType', 'other'), '[]', 'The content type is missing'],
  ['a content encoding that is a number', ENVELOPE.replace('"utf-8"', '8'), '[]', 'The content encoding is number'],
  ['headers that are a list', ENVELOPE.replace('"headers":{}', '"headers":[]'), '[]', 'The headers are an array'],
  ['properties that are null', ENVELOPE.replace('"properties":{}', '"properties":null'), '[]', 'The properties are missing'],
  ['a body that is a number', ENVELOPE, 5, 'The body is number'],
  ['no body', ENVELOPE, null, 'The body is missing'],
])('puts a message with %s away and goes on with the next', async (_title, envelope, body, detail) => {
  const fixture = await sqliteFixture()
  const broker = await fixture.open()
  await broker.publish(publications(1))
  const aside = new DatabaseSync(fixture.path)
  aside.prepare('UPDATE message SET envelope = ?, body = ?').run(envelope, body)
  aside.close()
  await broker.publish([publication('good')])

  const collector = await collect(broker)
  await collector.received(1)

  expect(collector.ids()).toEqual(['good'])
  const message = envelope === ENVELOPE ? { body: '', contentType: 'application/json', contentEncoding: 'utf-8', headers: {}, properties: {} } : undefined
  expect(collector.letters).toMatchObject([{ queue: 'q', reason: 'malformed', message }])
  expect(collector.letters[0]?.detail).toContain(detail)
  expect(await broker.deadLetters()).toEqual(collector.letters)
  expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 1, parked: 0, dead: 1 })
  await fixture.dispose()
})

test.each([
  ['ready', 'INSERT INTO ready (queue, rank, id, losses) VALUES (?, 9, 1, ?)'],
  ['parked', 'INSERT INTO parked (queue, due_at, id, rank, losses) VALUES (?, 0, 1, 9, ?)'],
])('takes no row into %s with a number that could not be read back', async (_table, insert) => {
  const fixture = await sqliteFixture()
  await fixture.open()
  const aside = new DatabaseSync(fixture.path)

  expect(() => aside.prepare(insert).run('q', 2n ** 60n)).toThrow('CHECK constraint failed')
  expect(aside.prepare(insert).run('q', 2 ** 52)).toMatchObject({ changes: 1 })

  aside.close()
  await fixture.dispose()
})

test('tells the consumer once when the store is lost and once when it is back', async () => {
  const fixture = await sqliteFixture()
  const broker = await fixture.open()
  const faults: (Error | undefined)[] = []
  const collector = await collect(broker, { onFault: (fault) => faults.push(fault) })
  const aside = new DatabaseSync(fixture.path)

  aside.exec('ALTER TABLE ready RENAME TO gone')
  await expect(broker.publish([publication('refused')])).rejects.toThrow('no such table')
  await expect.poll(() => faults.length, { message: 'the loss to be told', timeout: 5000 }).toBe(1)
  aside.exec('ALTER TABLE gone RENAME TO ready')
  await broker.publish([publication('after')])
  await collector.received(1)

  await expect.poll(() => faults.length, { message: 'the return to be told', timeout: 5000 }).toBe(2)
  expect(faults).toEqual([expect.any(Error), undefined])
  aside.close()
  await fixture.dispose()
})

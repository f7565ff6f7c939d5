import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { OperationalError } from '../../../src/errors.ts'
import type { Database } from '../../../src/internal/sqlite/database.ts'
import { turn } from '../../support/within.ts'
import { openTemporary } from './fixture.ts'

test('commits once for all that is written in one turn', async () => {
  const { database } = await openTemporary()
  const other = connectAside(database)
  const before = dataVersion(other)

  await Promise.all(Array.from({ length: 150 }, (_, index) => put(database, String(index))))

  expect(dataVersion(other)).toBe(before + 1)
  expect(names(other)).toHaveLength(150)
})

test('splits what is too much for one short transaction', async () => {
  const { database } = await openTemporary()
  let turns = 0
  let writing = true
  const counting = (async () => {
    for (; writing; turns += 1) await turn()
  })()

  await Promise.all(Array.from({ length: 2000 }, (_, index) => put(database, String(index))))
  writing = false
  await counting

  expect(turns).toBeGreaterThanOrEqual(10)
})

test('resolves to what the work returned, in the order of the calls', async () => {
  const { database } = await openTemporary()

  const counts = await Promise.all(['a', 'b', 'c'].map((name) => put(database, name).then(() => count(database))))
  const written = database.write(() => {
    database.run("DELETE FROM lease WHERE name = 'a'")
    return 'done'
  })
  const after = database.write(() => count(database))

  expect(counts).toEqual([3, 3, 3])
  expect(await written).toBe('done')
  expect(await after).toBe(2)
})

test('undoes only the work that failed', async () => {
  const { database } = await openTemporary()
  const mistake = new TypeError('a mistake')

  const outcomes = await Promise.allSettled([
    put(database, 'a'),
    database.write(() => {
      insert(database, 'half')
      throw mistake
    }),
    put(database, 'b'),
    put(database, 'a'),
    put(database, 'c'),
  ])

  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(outcomes[1]).toMatchObject({ reason: mistake })
  expect(outcomes[3]).toMatchObject({ reason: expect.any(OperationalError) })
  expect(names(connectAside(database))).toEqual(['a', 'b', 'c'])
})

test('leaves the event loop free while another connection writes, and then goes on', async () => {
  const { database } = await openTemporary({ connectionTimeoutMs: 10_000 })
  const other = connectAside(database)
  other.exec('BEGIN IMMEDIATE')

  const writing = put(database, 'late')
  let turns = 0
  for (; turns < 200; turns += 1) await turn()
  expect(names(other)).toEqual([])
  other.exec('COMMIT')
  await writing

  expect(names(other)).toEqual(['late'])
})

test('gives up on a lock after the timeout with one clear error each, and works again later', async () => {
  const { database } = await openTemporary({ connectionTimeoutMs: 100 })
  const other = connectAside(database)
  other.exec('BEGIN IMMEDIATE')

  const outcomes = await Promise.allSettled([put(database, 'a'), put(database, 'b')])
  other.exec('COMMIT')
  await put(database, 'c')

  expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : ''))).toEqual([
    expect.stringContaining('stayed locked for 0.1 s'),
    expect.stringContaining('stayed locked for 0.1 s'),
  ])
  expect(names(other)).toEqual(['c'])
})

test('reads while another connection writes', async () => {
  const { database } = await openTemporary()
  await put(database, 'a')
  const other = connectAside(database)
  other.exec("BEGIN IMMEDIATE; DELETE FROM lease")

  expect(await database.read(() => count(database))).toBe(1)
  other.exec('COMMIT')
  expect(await database.read(() => count(database))).toBe(0)
})

test('writes what was asked for before it closes', async () => {
  const { database, release } = await openTemporary()
  const other = connectAside(database)

  const writing = Promise.all(Array.from({ length: 1000 }, (_, index) => put(database, String(index))))
  await release()
  await writing

  expect(names(other)).toHaveLength(1000)
})

test('moves a long log into the database file while it is written', async () => {
  const { database } = await openTemporary()
  database.checkpointEarly()

  for (let index = 0; index < 350; index += 1) await Promise.all(Array.from({ length: 100 }, (_, each) => put(database, `${index} ${each}`)))

  await expect.poll(() => statSync(database.path).size, { message: 'the database file to grow', timeout: 10_000 }).toBeGreaterThan(200_000)
})

function put(database: Database, name: string): Promise<void> {
  return database.write(() => insert(database, name))
}

function insert(database: Database, name: string): void {
  database.run("INSERT INTO lease (name, owner, machine, pid, until) VALUES (?, '', '', 0, 0)", name)
}

function count(database: Database): number | undefined {
  return database.get<{ count: number }>('SELECT count(*) AS count FROM lease')?.count
}

/** A connection that shares nothing with the one under test. */
function connectAside(database: Database): DatabaseSync {
  const other = new DatabaseSync(database.path)
  onTestFinished(() => other.close())
  return other
}

function names(connection: DatabaseSync): unknown[] {
  return connection
    .prepare('SELECT name FROM lease ORDER BY name')
    .all()
    .map((row) => row['name'])
}

function dataVersion(connection: DatabaseSync): number {
  return Number(connection.prepare('PRAGMA data_version').get()?.['data_version'])
}

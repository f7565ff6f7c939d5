import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { readStoredMessage } from '../../src/brokers/sqlite/stored-message.ts'
import type { Submitted } from '../../src/index.ts'
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts'
import type { Message } from '../../src/protocol/message.ts'
import { SIGNATURE_HEADER } from '../../src/signing/key-ring.ts'
import type { Submitter } from '../../src/submitter.ts'
import type { TestApplication } from './application.ts'
import { sharedRedis } from './redis-server.ts'
import { onRedis, storeUrl } from './store.ts'

/** What the store holds of a message, but for its place in a queue. */
export interface StoredRow {
  readonly envelope: string
  readonly body: string
}

/** Puts the newest message of the queue `workshop` into the queue `celery`, changed. */
type Changer = (change: (row: StoredRow) => Partial<StoredRow>) => Promise<void> | void

/** Messages in a test application's store, that can be changed before a worker sees them. */
export class StoredMessages {
  readonly #application: TestApplication
  readonly #database: DatabaseSync | undefined

  constructor(application: TestApplication) {
    this.#application = application
    this.#database = onRedis ? undefined : new DatabaseSync(join(application.folder, 'queue.db'), { timeout: 4_000 })
  }

  /** Sends a task, changes what is stored of it, and only then hands it to the workers; the task's id. */
  async spoil(send: (sender: Submitter) => Submitted<unknown>, change: (row: StoredRow) => Partial<StoredRow>): Promise<string> {
    const future = await send(this.#application.celery.with({ queue: 'workshop' }))
    const changer: Changer = this.#database === undefined ? inRedis(storeUrl(this.#application.folder)) : inSqlite(this.#database)
    await changer(change)
    return future.id
  }

  close(): void {
    this.#database?.close()
  }
}

function inSqlite(database: DatabaseSync): Changer {
  return (change) => {
    const newest = database.prepare('SELECT id, envelope, body FROM message ORDER BY id DESC LIMIT 1').get() as unknown as StoredRow & { id: number }
    const row = { envelope: withNames(newest.envelope, newest.body), body: newest.body }
    const { envelope, body } = { ...row, ...change(row) }
    database.exec('BEGIN IMMEDIATE')
    database.prepare('UPDATE message SET envelope = ?, body = ? WHERE id = ?').run(envelope, body, newest.id)
    database.prepare(`UPDATE ready SET queue = 'celery' WHERE id = ?`).run(newest.id)
    database.exec('COMMIT')
  }
}

function inRedis(url: string): Changer {
  return async (change) => {
    const client = await sharedRedis().client(url)
    const { body: stored, ...others } = decodeEnvelope((await client.lPop('workshop')) ?? '')
    const row = { envelope: JSON.stringify(others), body: String(stored) }
    const { envelope, body } = { ...row, ...change(row) }
    await client.lPush('celery', encodeEnvelope({ ...(JSON.parse(envelope) as Message), body }))
    client.destroy()
  }
}

/** The envelope with the names of all headers, which can be read too. */
function withNames(envelope: string, body: string): string {
  const { body: _body, ...others } = readStoredMessage(envelope, body) as Message
  return JSON.stringify(others)
}

/** The row with other headers; one that is undefined is left out. */
export function withHeaders({ envelope }: StoredRow, headers: Record<string, unknown>): Pick<StoredRow, 'envelope'> {
  const parsed = JSON.parse(envelope) as { headers: object }
  return { envelope: JSON.stringify({ ...parsed, headers: { ...parsed.headers, ...headers } }) }
}

/** The row as a sender without a key would have written it. */
export function unsigned(row: StoredRow): StoredRow {
  return { ...row, ...withHeaders(row, { [SIGNATURE_HEADER]: undefined }) }
}

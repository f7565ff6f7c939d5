import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { readStoredMessage } from '../../src/brokers/sqlite/stored-message.ts'
import type { Submitted } from '../../src/index.ts'
import type { Message } from '../../src/protocol/message.ts'
import { SIGNATURE_HEADER } from '../../src/signing/key-ring.ts'
import type { Submitter } from '../../src/submitter.ts'
import type { TestApplication } from './application.ts'

/** What the database holds of a message, but for its place in a queue. */
export interface StoredRow {
  readonly envelope: string
  readonly body: string
}

/** Messages in a test application's database, that can be changed before a worker sees them. */
export class StoredMessages {
  readonly #application: TestApplication
  readonly #database: DatabaseSync

  constructor(application: TestApplication) {
    this.#application = application
    this.#database = new DatabaseSync(join(application.folder, 'queue.db'), { timeout: 4_000 })
  }

  /** Sends a task, changes what is stored of it, and only then hands it to the workers; the task's id. */
  async spoil(send: (sender: Submitter) => Submitted<unknown>, change: (row: StoredRow) => Partial<StoredRow>): Promise<string> {
    const future = await send(this.#application.celery.with({ queue: 'workshop' }))
    const { id, body: stored, envelope: packed } = this.#newest()
    const row = { envelope: withNames(packed, stored), body: stored }
    const { envelope, body } = { ...row, ...change(row) }
    this.#database.exec('BEGIN IMMEDIATE')
    this.#database.prepare('UPDATE message SET envelope = ?, body = ? WHERE id = ?').run(envelope, body, id)
    this.#database.prepare(`UPDATE ready SET queue = 'celery' WHERE id = ?`).run(id)
    this.#database.exec('COMMIT')
    return future.id
  }

  close(): void {
    this.#database.close()
  }

  #newest(): StoredRow & { readonly id: number } {
    return this.#database.prepare('SELECT id, envelope, body FROM message ORDER BY id DESC LIMIT 1').get() as unknown as StoredRow & { id: number }
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

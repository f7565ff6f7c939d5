import type { DeadLetter, DeadLetterReason, QueueDepth } from '../../broker.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import { readStoredMessage, readWithoutBody } from './stored-message.ts'

/** Rows counted at once, so that counting a million does not hold up the event loop. */
const COUNTED_AT_ONCE = 20_000

const DEFAULT_DEAD_LETTERS = 100

interface DeadRow {
  readonly queue: string
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly died_at: number
  readonly envelope: unknown
  readonly body: unknown
}

interface Count {
  readonly count: number
  readonly last: number | null
}

/** How many messages a queue holds, in each state. */
export async function countMessages(database: Database, queue: string): Promise<QueueDepth> {
  const count = (sql: string): Promise<number> => database.read(() => database.get<{ count: number }>(sql, queue)?.count ?? 0)
  return {
    ready: await countReady(database, queue),
    unacked: await count('SELECT count(*) AS count FROM claimed WHERE queue = ?'),
    parked: await count('SELECT count(*) AS count FROM parked WHERE queue = ?'),
    dead: await count('SELECT count(*) AS count FROM dead_letter WHERE queue = ?'),
  }
}

/** Every queue with a message, waiting, parked, out or given up, in alphabetical order. */
export async function listQueues(database: Database): Promise<string[]> {
  const tables = ['ready', 'parked', 'dead_letter']
  const waiting = await database.read(() => tables.flatMap((table) => distinctQueues(database, table)))
  const out = await database.read(() => database.all<{ queue: string }>('SELECT DISTINCT queue FROM claimed'))
  return [...new Set([...waiting, ...out.map((row) => row.queue)])].sort()
}

/** The newest dead letters first. */
export async function listDeadLetters(database: Database, { queue, limit = DEFAULT_DEAD_LETTERS }: { queue?: string; limit?: number }): Promise<DeadLetter[]> {
  const columns = 'SELECT queue, reason, detail, died_at, envelope, body FROM dead_letter'
  const rows = await database.read(() =>
    queue === undefined
      ? database.all<DeadRow>(`${columns} ORDER BY id DESC LIMIT ?`, limit)
      : database.all<DeadRow>(`${columns} WHERE queue = ? ORDER BY id DESC LIMIT ?`, queue, limit),
  )
  return rows.map(({ queue: from, reason, detail, died_at, envelope, body }) => {
    const message = reason === 'malformed' ? readWithoutBody(envelope) : readStoredMessage(envelope, body)
    return { queue: from, reason, detail, diedAtMs: died_at, message: typeof message === 'string' ? undefined : message }
  })
}

async function countReady(database: Database, queue: string): Promise<number> {
  let total = 0
  for (let rank = 0; rank <= 9; rank += 1) {
    let after: number | null = 0
    while (after !== null) {
      const from: number = after
      const part: Count | undefined = await database.read(() =>
        database.get<Count>(
          `SELECT count(*) AS count, max(id) AS last FROM (SELECT id FROM ready WHERE queue = ? AND rank = ? AND id > ? ORDER BY id LIMIT ${COUNTED_AT_ONCE})`,
          queue,
          rank,
          from,
        ),
      )
      total += part?.count ?? 0
      after = part?.count === COUNTED_AT_ONCE ? part.last : null
      if (after !== null) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return total
}

/** Steps from name to name through the index instead of reading every message. */
function distinctQueues(database: Database, table: string): string[] {
  const queues: string[] = []
  for (let last = ''; ; ) {
    const next: string | null | undefined = database.get<{ queue: string | null }>(`SELECT min(queue) AS queue FROM ${table} WHERE queue > ?`, last)?.queue
    if (next === null || next === undefined) return queues
    queues.push((last = next))
  }
}

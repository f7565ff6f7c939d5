import type { DeadLetter, DeadLetterReason, Publication } from '../../broker.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Database } from '../../internal/sqlite/database.ts'
import type { Message } from '../../protocol/message.ts'
import { readStoredMessage, readWithoutBody, storeMessage, type StoredMessage } from './stored-message.ts'

const HIGHEST_PRIORITY = 9

/** Parked messages that one claim makes ready at most, so that it stays short when a million are due at once. */
const MOST_UNPARKED = 500

/** A publication, encoded outside the transaction. */
export interface PreparedPublication extends StoredMessage {
  readonly queue: string
  readonly rank: number
  readonly dueAtMs: number | null
}

/** A row that was claimed. */
export interface ClaimedMessage {
  readonly id: number
  readonly queue: string
  readonly message: Message
  readonly losses: number
  readonly publishedAtMs: number
}

/** What one claim took. */
export interface Claim {
  readonly messages: readonly ClaimedMessage[]
  /** Put away because they cannot be read. */
  readonly dead: readonly DeadLetter[]
  /** Nothing ready was left in the queues. */
  readonly drained: boolean
}

interface Row {
  readonly id: number
  readonly queue: string
  readonly rank: number
  readonly losses: number
  readonly published_at: number
  readonly size: number
  readonly envelope: unknown
  readonly body: unknown
}

/** Encodes a publication; throws when its headers cannot be written as JSON. */
export function preparePublication({ queue, message, priority, dueAtMs }: Publication): PreparedPublication {
  const rank = HIGHEST_PRIORITY - Math.min(Math.max(Math.trunc(priority ?? 0), 0), HIGHEST_PRIORITY)
  const { envelope, body } = storeMessage(message)
  return { queue, rank, dueAtMs: dueAtMs ?? null, envelope, body }
}

/**
 * The messages and where they are: each method is a few statements and belongs inside `database.write`, but
 * for those that say they only read.
 *
 * Settling names the owner, so that a late acknowledgement of a lost lease changes nothing.
 */
export class Messages {
  readonly #database: Database
  readonly #clock: Clock

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  insert(publications: readonly PreparedPublication[]): void {
    const now = this.#clock.now()
    for (const { queue, rank, dueAtMs, envelope, body } of publications) {
      const id = this.#database.insert('INSERT INTO message (published_at, envelope, body) VALUES (?, ?, ?)', now, envelope, body)
      if (dueAtMs !== null && dueAtMs > now) this.#database.run('INSERT INTO parked (queue, due_at, id, rank, losses) VALUES (?, ?, ?, ?, 0)', queue, dueAtMs, id, rank)
      else this.#database.run('INSERT INTO ready (queue, rank, id, losses) VALUES (?, ?, ?, 0)', queue, rank, id)
    }
    this.#database.announce('messages')
  }

  /** Only reads: whether a claim would find anything. */
  available(queues: readonly string[]): boolean {
    return queues.some((queue) => this.#database.get('SELECT 1 FROM ready WHERE queue = ? LIMIT 1', queue) !== undefined || this.#hasDue(queue))
  }

  /** Only reads: when the next parked message of the queues is due. */
  nextDue(queues: readonly string[]): number | undefined {
    const times = queues.map((queue) => this.#database.get<{ at: number | null }>('SELECT min(due_at) AS at FROM parked WHERE queue = ?', queue)?.at)
    const known = times.filter((time) => typeof time === 'number')
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** Gives up to `limit` ready messages to `owner`: higher priority first, then the queues in turn, then oldest first. */
  claim(owner: number, queues: readonly string[], limit: number, maxSize: number): Claim {
    for (const queue of queues) if (this.#hasDue(queue)) this.#unpark(queue)
    const rows = queues.length === 1 ? this.#take(queues[0] ?? '', owner, limit, maxSize) : this.#takeInTurn(queues, owner, limit, maxSize)
    const messages: ClaimedMessage[] = []
    const dead: DeadLetter[] = []
    for (const row of rows) {
      const message = row.size > maxSize ? `The body has ${row.size} bytes, more than the ${maxSize} that taskMessageMaxSize allows.` : readStoredMessage(row.envelope, row.body)
      if (typeof message !== 'string') messages.push({ id: row.id, queue: row.queue, message, losses: row.losses, publishedAtMs: row.published_at })
      else dead.push(this.#bury(row, owner, message))
    }
    return { messages, dead, drained: rows.length < limit }
  }

  ack(id: number, owner: number): void {
    if (this.#release(id, owner)) this.#database.run('DELETE FROM message WHERE id = ?', id)
  }

  reject(id: number, owner: number, reason: DeadLetterReason, detail: string, diedAtMs: number = this.#clock.now()): void {
    this.#database.run(
      `INSERT INTO dead_letter (queue, reason, detail, died_at, envelope, body)
       SELECT queue, ?, ?, ?, envelope, body FROM claimed JOIN message USING (id) WHERE id = ? AND owner = ?`,
      reason,
      detail,
      diedAtMs,
      id,
      owner,
    )
    this.ack(id, owner)
  }

  requeue(id: number, owner: number, delayMs: number, lost: boolean): void {
    const losses = lost ? 1 : 0
    if (delayMs > 0) {
      const dueAt = Math.ceil(this.#clock.now() + delayMs)
      this.#database.run('INSERT INTO parked (queue, due_at, id, rank, losses) SELECT queue, ?, id, rank, losses + ? FROM claimed WHERE id = ? AND owner = ?', dueAt, losses, id, owner)
    } else {
      this.#database.run('INSERT INTO ready (queue, rank, id, losses) SELECT queue, rank, id, losses + ? FROM claimed WHERE id = ? AND owner = ?', losses, id, owner)
    }
    if (this.#release(id, owner)) this.#database.announce('messages')
  }

  begun(id: number, owner: number): void {
    this.#database.run('UPDATE claimed SET begun = 1 WHERE id = ? AND owner = ?', id, owner)
  }

  /** Puts back everything an owner has; `countLosses` when it died, so that what had begun counts as lost. */
  giveBack(owner: number, countLosses: boolean): number {
    const losses = countLosses ? 'losses + begun' : 'losses'
    this.#database.run(`INSERT INTO ready (queue, rank, id, losses) SELECT queue, rank, id, ${losses} FROM claimed WHERE owner = ?`, owner)
    const count = this.#database.run('DELETE FROM claimed WHERE owner = ?', owner)
    if (count > 0) this.#database.announce('messages')
    return count
  }

  /** Drops at most `limit` waiting and as many parked messages of a queue; how many went. */
  purge(queue: string, limit: number): number {
    let count = 0
    for (const table of ['ready', 'parked']) {
      const rows = this.#database.all<{ id: number }>(`DELETE FROM ${table} WHERE queue = ?1 AND id IN (SELECT id FROM ${table} WHERE queue = ?1 LIMIT ?2) RETURNING id`, queue, limit)
      for (const { id } of rows) this.#database.run('DELETE FROM message WHERE id = ?', id)
      count += rows.length
    }
    return count
  }

  #release(id: number, owner: number): boolean {
    return this.#database.run('DELETE FROM claimed WHERE id = ? AND owner = ?', id, owner) === 1
  }

  #hasDue(queue: string): boolean {
    return this.#database.get('SELECT 1 FROM parked WHERE queue = ? AND due_at <= ? LIMIT 1', queue, this.#clock.now()) !== undefined
  }

  #unpark(queue: string): void {
    const due = this.#database.all<{ due_at: number; id: number; rank: number; losses: number }>(
      'SELECT due_at, id, rank, losses FROM parked WHERE queue = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?',
      queue,
      this.#clock.now(),
      MOST_UNPARKED,
    )
    for (const { due_at, id, rank, losses } of due) {
      this.#database.run('DELETE FROM parked WHERE queue = ? AND due_at = ? AND id = ?', queue, due_at, id)
      this.#database.run('INSERT INTO ready (queue, rank, id, losses) VALUES (?, ?, ?, ?)', queue, rank, id, losses)
    }
  }

  #take(queue: string, owner: number, limit: number, maxSize: number): Row[] {
    const rows = this.#database.all<Row>(
      `SELECT id, queue, rank, losses, published_at, octet_length(body) AS size, envelope, CASE WHEN octet_length(body) <= ? THEN body END AS body
       FROM ready JOIN message USING (id) WHERE queue = ? ORDER BY rank, id LIMIT ?`,
      maxSize,
      queue,
      limit,
    )
    const last = rows.at(-1)
    if (last === undefined) return rows
    // The first rows of the order, so a range: one statement each instead of one for every message.
    this.#database.run(
      'INSERT INTO claimed (id, owner, queue, rank, losses) SELECT id, ?, queue, rank, losses FROM ready WHERE queue = ? AND (rank, id) <= (?, ?)',
      owner,
      queue,
      last.rank,
      last.id,
    )
    this.#database.run('DELETE FROM ready WHERE queue = ? AND (rank, id) <= (?, ?)', queue, last.rank, last.id)
    return rows
  }

  #takeInTurn(queues: readonly string[], owner: number, limit: number, maxSize: number): Row[] {
    const shares = shareOut(queues.map((queue) => this.#readyRanks(queue, limit)), limit)
    return interleave(queues.map((queue, index) => this.#take(queue, owner, shares[index] ?? 0, maxSize)))
  }

  #readyRanks(queue: string, limit: number): number[] {
    return this.#database.all<{ rank: number }>('SELECT rank FROM ready WHERE queue = ? ORDER BY rank, id LIMIT ?', queue, limit).map((row) => row.rank)
  }

  #bury(row: Row, owner: number, detail: string): DeadLetter {
    const diedAtMs = this.#clock.now()
    this.reject(row.id, owner, 'malformed', detail, diedAtMs)
    return { queue: row.queue, reason: 'malformed', detail, diedAtMs, message: readWithoutBody(row.envelope) }
  }
}

/** How many to take from each queue, given the ranks of what is ready in each, so that a better rank always wins and equal ones take turns. */
function shareOut(ready: readonly (readonly number[])[], limit: number): number[] {
  const shares = ready.map(() => 0)
  for (let left = limit; left > 0; left -= 1) {
    let best = -1
    for (const [index, ranks] of ready.entries()) {
      const rank = ranks[shares[index] ?? 0]
      if (rank === undefined) continue
      const bestRank = best === -1 ? Infinity : (ready[best]?.[shares[best] ?? 0] ?? Infinity)
      if (rank < bestRank || (rank === bestRank && (shares[index] ?? 0) < (shares[best] ?? 0))) best = index
    }
    if (best === -1) break
    shares[best] = (shares[best] ?? 0) + 1
  }
  return shares
}

function interleave(taken: readonly (readonly Row[])[]): Row[] {
  return taken
    .flatMap((rows) => rows.map((row, turn) => ({ row, turn })))
    .sort((a, b) => a.row.rank - b.row.rank || a.turn - b.turn)
    .map(({ row }) => row)
}

import { createHash } from 'node:crypto'
import type { StoredResult } from '../../backend.ts'
import { AS_BYTES, type RedisClient } from '../../internal/redis/client.ts'
import { RedisScript } from '../../internal/redis/script.ts'
import type { State } from '../../states.ts'
import { mayStore } from '../store-rule.ts'
import { STORE_IF_UNCHANGED } from './scripts.ts'
import type { KeptRecord, TranscodedForm } from './transcoded-form.ts'
import type { ResultWriterOptions } from './writer.ts'

/** What {@link ComparingWriter} needs. */
export interface ComparingWriterOptions extends ResultWriterOptions {
  readonly form: TranscodedForm
}

const script = new RedisScript(STORE_IF_UNCHANGED)

/** An expectation that nothing fulfils: only to look. */
const LOOK = 'look'

const NOTHING = ''

/**
 * Stores records that the server cannot read: which state is there is read here, and the write is done only over what was read.
 *
 * It is tried over nothing first, which is what there mostly is.
 */
export class ComparingWriter {
  readonly #options: ComparingWriterOptions

  constructor(options: ComparingWriterOptions) {
    this.#options = options
  }

  /** Whether it was stored: see the contract of result backends. */
  async store(record: StoredResult, onlyOver: readonly State[] | undefined): Promise<boolean> {
    const { connection, form, clock, logger } = this.#options
    const kept = form.keepResult(record, clock.now())
    if (kept.problem) logger.warn({ task: record.taskId }, `The ${record.status} of a task was stored as ${kept.status}: ${kept.problem.message}`)
    let tries = 0
    return connection.runRepeatable((client) => this.#write(client, record.taskId, { kept, onlyOver, isRepeated: tries++ > 0 }))
  }

  /** Nothing waits to be sent. */
  flush(): void {}

  async #write(client: RedisClient, taskId: string, { kept, onlyOver, isRepeated }: Write): Promise<boolean> {
    const { keys, clock, form } = this.#options
    const key = keys.task(taskId)
    let expected = mayStore(undefined, kept.status, onlyOver) ? NOTHING : LOOK
    for (;;) {
      const reply = await script.run(client, [key], [expected, kept.text, kept.ttlMs ?? ''], AS_BYTES)
      if (reply === 1) return true
      if (reply === 0) return this.#sayUnreadable(taskId, key)
      const found = Buffer.isBuffer(reply) ? reply : undefined
      // The first try was done, and its answer was lost.
      if (isRepeated && found?.equals(kept.text)) return true
      const stored = found && form.readPushed(taskId, found, clock.now())
      if (stored === 'unreadable') return this.#sayUnreadable(taskId, key)
      if (!mayStore(stored?.status, kept.status, onlyOver)) return false
      expected = found === undefined ? NOTHING : createHash('sha1').update(found).digest('hex')
    }
  }

  #sayUnreadable(task: string, key: string): false {
    this.#options.logger.warn({ task }, `A result was not stored: what the key ${key} holds is not a result. Delete the key.`)
    return false
  }
}

interface Write {
  readonly kept: KeptRecord
  readonly onlyOver: readonly State[] | undefined
  readonly isRepeated: boolean
}

import type { StoredResult } from '../../backend.ts'
import { Batcher } from '../../internal/batcher.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import { RedisScript } from '../../internal/redis/script.ts'
import type { State } from '../../states.ts'
import type { ResultKeys } from './keys.ts'
import { STORE_RESULTS } from './scripts.ts'
import { keepResult } from './stored-text.ts'

/** Records that one call of the script stores: more would hold up the others who use the server. */
const STORED_AT_ONCE = 200
const CHARACTERS_AT_ONCE = 1_000_000

const script = new RedisScript(STORE_RESULTS)

/** What a {@link ResultWriter} needs. */
export interface ResultWriterOptions {
  readonly connection: RedisConnection
  readonly keys: ResultKeys
  readonly clock: Clock
  readonly logger: Logger
}

interface Store {
  readonly record: StoredResult
  readonly onlyOver: readonly State[] | undefined
  readonly resolve: (stored: boolean) => void
  readonly reject: (error: unknown) => void
}

/** Stores records: those that are given together in one step. */
export class ResultWriter {
  readonly #options: ResultWriterOptions
  // The connection gathers what is sent in one turn.
  readonly #batcher = new Batcher<Store>((stores) => this.#take(stores), 'callback')
  /** Wait for the reply to what is being written, to go together. */
  #waiting: Store[] = []
  #writing = 0

  constructor(options: ResultWriterOptions) {
    this.#options = options
  }

  /** Whether it was stored: see the contract of result backends. */
  store(record: StoredResult, onlyOver: readonly State[] | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => this.#batcher.add({ record, onlyOver, resolve, reject }))
  }

  /** Sends what was given so far, so that closing the connection waits for it. */
  flush(): void {
    this.#batcher.flush()
    this.#writeAll()
  }

  #take(stores: readonly Store[]): void {
    this.#waiting.push(...stores)
    if (this.#writing === 0) this.#writeAll()
  }

  #writeAll(): void {
    const stores = this.#waiting
    this.#waiting = []
    for (let from = 0, to = 0; from < stores.length; from = to) {
      for (let characters = 0; to < stores.length && to - from < STORED_AT_ONCE && characters < CHARACTERS_AT_ONCE; to += 1) {
        characters += stores[to]?.record.text.length ?? 0
      }
      this.#writing += 1
      void this.#write(stores.slice(from, to)).then(() => {
        this.#writing -= 1
        if (this.#writing === 0) this.#writeAll()
      })
    }
  }

  async #write(stores: readonly Store[]): Promise<void> {
    const { connection, keys, clock } = this.#options
    try {
      const now = clock.now()
      const parts = stores.flatMap(({ record, onlyOver }) => {
        const { text, ttlMs } = keepResult(record, now)
        return [text, ttlMs ?? '', onlyOver === undefined ? '' : `\n${onlyOver.join('\n')}\n`]
      })
      const names = stores.map(({ record }) => keys.task(record.taskId))
      let tries = 0
      const digits = String(await connection.runRepeatable((client) => script.run(client, names, [now, tries++ === 0 ? 0 : 1, ...parts])))
      for (const [index, store] of stores.entries()) this.#settle(store, digits[index])
    } catch (error) {
      for (const { reject } of stores) reject(error)
    }
  }

  #settle({ record, resolve }: Store, digit: string | undefined): void {
    if (digit === '2') {
      const key = this.#options.keys.task(record.taskId)
      this.#options.logger.warn({ task: record.taskId }, `A result was not stored: what the key ${key} holds is not a result. Delete the key.`)
    }
    resolve(digit === '1')
  }
}

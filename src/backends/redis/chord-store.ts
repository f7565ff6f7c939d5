import type { RedisConnection } from '../../internal/redis/connection.ts'
import { RedisScript } from '../../internal/redis/script.ts'
import type { State } from '../../states.ts'
import type { ResultKeys } from './keys.ts'
import { ADD_CHORD_PART } from './scripts.ts'

/** How far a chord is. */
export interface ChordProgress {
  /** Members that have ended. */
  readonly count: number
  /** Members there are; undefined as long as whoever sends them has not said. */
  readonly size: number | undefined
}

/** What a member of a chord ended with. */
export interface ChordPart {
  readonly groupId: string
  /** Its place among the results; undefined: after those that have one. */
  readonly index: number | undefined
  readonly taskId: string
  readonly state: State
  /** JSON of the value, or of the exception. */
  readonly resultText: string
}

/** How a {@link RedisChordStore} keeps chords. */
export interface ChordStoreOptions {
  readonly keys: ResultKeys
  /** Celery's `result_chord_ordered`, on which all workers of a chord must agree. Default: true. */
  readonly isOrdered?: boolean
}

const script = new RedisScript(ADD_CHORD_PART)

/** Counts the members of chords that have ended and keeps what they ended with, as Celery's Redis backend does. */
export class RedisChordStore {
  readonly #connection: RedisConnection
  readonly #keys: ResultKeys
  readonly #isOrdered: boolean

  constructor(connection: RedisConnection, { keys, isOrdered = true }: ChordStoreOptions) {
    this.#connection = connection
    this.#keys = keys
    this.#isOrdered = isOrdered
  }

  /** Adds a part, unless one of that member is there; everything about the chord then expires after `ttlMs`, if given. */
  async addPart({ groupId, index, taskId, state, resultText }: ChordPart, ttlMs?: number): Promise<ChordProgress> {
    const begins = `[1, ${JSON.stringify(taskId)}, `
    const text = `${begins}${JSON.stringify(state)}, ${resultText}]`
    const place = this.#isOrdered ? String(index ?? '+inf') : ''
    const keys = [this.#keys.group(groupId, '.j'), this.#keys.group(groupId, '.s'), this.#keys.group(groupId, '.t')]
    const reply = await this.#connection.runRepeatable((client) => script.run(client, keys, [place, text, begins, ttlMs ?? '']))
    const [count, size, later] = reply as [number, string | null, string | null]
    return { count, size: size === null ? undefined : Number(size) + Number(later ?? 0) }
  }

  /** Says how many members there are: before the last of them is sent. */
  async setSize(groupId: string, size: number, ttlMs?: number): Promise<void> {
    const key = this.#keys.group(groupId, '.s')
    const set = ['SET', key, String(size), ...(ttlMs === undefined ? [] : ['PX', String(ttlMs)])]
    await this.#connection.runRepeatable((client) => client.multi().addCommand(set).addCommand(['PUBLISH', key, String(size)]).exec())
  }

  /** Counts one more member, which a member adds. Not repeated when the connection breaks: counted twice, the chord would never end. */
  async addMember(groupId: string): Promise<void> {
    await this.#connection.run((client) => client.sendCommand(['INCRBY', this.#keys.group(groupId, '.t'), '1']))
  }

  /** The parts, in the order of the members' places or else of their completion: JSON, `[1, "<task id>", "<state>", <result>]`. */
  async parts(groupId: string): Promise<string[]> {
    const key = this.#keys.group(groupId, '.j')
    return (await this.#connection.runRepeatable((client) => client.sendCommand([this.#isOrdered ? 'ZRANGE' : 'LRANGE', key, '0', '-1']))) as string[]
  }

  /** Forgets the chord. */
  async clear(groupId: string): Promise<void> {
    const keys = [this.#keys.group(groupId, '.j'), this.#keys.group(groupId, '.s'), this.#keys.group(groupId, '.t')]
    await this.#connection.runRepeatable((client) => client.sendCommand(['DEL', ...keys]))
  }
}

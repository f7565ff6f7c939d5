import { Buffer } from 'node:buffer'
import type { StoredResult } from '../../backend.ts'
import { EncodeError } from '../../errors.ts'
import { AS_BYTES, type ReplyOptions } from '../../internal/redis/client.ts'
import { encodeException } from '../../protocol/exception.ts'
import { isObject, malformed } from '../../protocol/malformed.ts'
import { argsRepr, kwargsRepr } from '../../protocol/repr.ts'
import { encodeResultMeta, otherSerializer } from '../../protocol/result.ts'
import type { Serializer } from '../../protocol/serializers/serializer.ts'
import { type SerializerName, serializerNamed } from '../../protocol/serializers/open.ts'
import { EXCEPTION_STATES, type State } from '../../states.ts'
import { type Meta, parseMeta, stringifyMeta } from './meta-text.ts'
import type { Kept, ResultForm } from './result-form.ts'
import { isWrapped, keepGroup, keepResult, type KeptText, readGroup, readPushed } from './stored-text.ts'

/** How a record is kept, and as what. */
export interface KeptRecord extends KeptText<Buffer> {
  /** That of the record, or FAILURE where its value cannot be kept. */
  readonly status: State
  /** Why another value is kept in its place. */
  readonly problem: EncodeError | undefined
}

/** Begins the paths to what cannot be written. */
const ROOT = 'meta'

const ARGUMENTS = /^meta\.(args|kwargs)\b/

const BRACE = '{'.charCodeAt(0)

/**
 * Results in msgpack or YAML, as Celery keeps them with that `result_serializer`.
 *
 * Nothing in a key says what it is in, so both sides must agree. What is no meta of Celery's is kept as JSON: see `stored-text.ts`.
 */
export class TranscodedForm implements ResultForm {
  readonly replies: ReplyOptions = AS_BYTES
  readonly #name: SerializerName
  readonly #serializer: Serializer

  /** @throws {@link ImproperlyConfigured} when the package that it needs is not installed. */
  constructor(name: Exclude<SerializerName, 'json'>) {
    this.#name = name
    this.#serializer = serializerNamed(name)
  }

  /**
   * How a record is kept. An outcome with a value that cannot be is kept as the failure that says so, as Celery does.
   * @throws {@link EncodeError} for the value of another state.
   */
  keepResult(record: StoredResult, nowMs: number): KeptRecord {
    const { text, ttlMs } = keepResult(record, nowMs)
    const { status } = record
    if (isWrapped(text)) return { text: Buffer.from(text), ttlMs, status, problem: undefined }
    const meta = parseMeta(text)
    try {
      return { text: this.#encodeRecord(meta), ttlMs, status, problem: undefined }
    } catch (error) {
      if (!(error instanceof EncodeError) || !(status === 'SUCCESS' || EXCEPTION_STATES.has(status))) throw error
      const failed = status === 'SUCCESS' ? 'FAILURE' : status
      return { text: this.#encode(failureInPlaceOf(meta, failed, error)), ttlMs, status: failed, problem: error }
    }
  }

  keepGroup(text: string, expiresAtMs: number | undefined, nowMs: number): KeptText<Buffer> {
    const kept = keepGroup(text, expiresAtMs, nowMs)
    return { text: isWrapped(kept.text) ? Buffer.from(kept.text) : this.#encode(parseMeta(kept.text)), ttlMs: kept.ttlMs }
  }

  readGroup(kept: Kept, nowMs: number): string | undefined {
    const wrapped = wrappedText(kept)
    return wrapped === undefined ? stringifyMeta(this.#decode(kept)) : readGroup(wrapped, nowMs)
  }

  readResult(taskId: string, kept: Kept, nowMs: number): StoredResult | undefined {
    try {
      return this.#read(taskId, kept, nowMs)
    } catch (error) {
      const text = encodeResultMeta({ taskId, status: 'FAILURE', resultText: encodeException(error).text, traceback: null })
      return { taskId, status: 'FAILURE', text }
    }
  }

  readPushed(taskId: string, kept: Kept, nowMs: number): StoredResult | undefined | 'unreadable' {
    try {
      return this.#read(taskId, kept, nowMs)
    } catch {
      return 'unreadable'
    }
  }

  #read(taskId: string, kept: Kept, nowMs: number): StoredResult | undefined {
    const wrapped = wrappedText(kept)
    if (wrapped !== undefined) {
      const record = readPushed(taskId, wrapped, nowMs)
      if (record === 'unreadable') throw malformed('the result', 'a result', wrapped)
      return record
    }
    const meta = this.#decode(kept)
    const { status } = meta
    if (typeof status !== 'string' || status === '') throw malformed('"status" of the result', 'the name of a state', status)
    return { taskId, status, text: stringifyMeta(meta) }
  }

  #encodeRecord(meta: Meta): Buffer {
    try {
      return this.#encode(meta)
    } catch (error) {
      const { args, kwargs } = meta
      if (!(error instanceof EncodeError) || !ARGUMENTS.test(error.path) || !Array.isArray(args) || !isObject(kwargs)) throw error
      // What the task was called with is there for people: shown as logs show it.
      return this.#encode({ ...meta, args: argsRepr(args), kwargs: kwargsRepr(kwargs) })
    }
  }

  #encode(meta: Meta): Buffer {
    const encoded = this.#serializer.encode(meta, ROOT)
    return typeof encoded === 'string' ? Buffer.from(encoded) : Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  }

  #decode(kept: Kept): Meta {
    const bytes = Buffer.from(kept as Buffer)
    let meta: unknown
    try {
      meta = this.#serializer.decode(bytes)
    } catch (error) {
      throw otherSerializer(bytes.toString('latin1'), this.#name) ?? error
    }
    if (isObject(meta)) return meta
    throw otherSerializer(bytes.toString('latin1'), this.#name) ?? malformed('the result', 'an object', meta)
  }
}

/** What a value that cannot be kept leaves of its meta: all that is known of the task besides. */
function failureInPlaceOf(meta: Meta, status: State, error: EncodeError): Meta {
  const { text, traceback } = encodeException(error)
  // What is undefined here is left out. The meta's own key "undefined" says that the result is; here it is the exception.
  return { ...meta, status, result: JSON.parse(text), traceback, undefined: undefined, args: undefined, kwargs: undefined }
}

/** The text of what is kept as JSON whatever the serializer is. */
function wrappedText(kept: Kept): string | undefined {
  if (typeof kept !== 'string' && kept[0] !== BRACE) return undefined
  const text = String(kept)
  return isWrapped(text) ? text : undefined
}

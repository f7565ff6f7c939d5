import type { Config } from './config/config.ts'
import { SecurityError } from './errors.ts'
import type { Travel } from './functions/travel.ts'
import { arePlainTrees, isPlainTree } from './graph/plain.ts'
import { readGraph, readGraphText } from './graph/read.ts'
import { NO_TYPES, type TypeRegistry } from './graph/types.ts'
import { writeGraph } from './graph/write.ts'
import type { Clock } from './internal/clock.ts'
import { bodyOf, bodyText, decodeBody, type Embed, type EncodedBody, GRAPH_CONTENT_TYPE, type ReadOptions, type TaskBody } from './protocol/body.ts'
import { stringifyJson } from './protocol/json.ts'
import { isObject } from './protocol/malformed.ts'
import type { Message, TaskMessageInput } from './protocol/message.ts'
import { type KeyRing, openKeyRing, type Refusal, type Signable, SIGNATURE_HEADER } from './signing/key-ring.ts'

/** A function that goes along with its call. */
export interface Traveller {
  readonly fn: Function
  readonly travel: Travel
}

/** A call as a worker reads it. */
export interface DecodedCall extends TaskBody {
  /** The function itself, where it came by value. */
  readonly fn?: Function | undefined
}

/** What a {@link Codec} is made of. */
export interface CodecParts {
  readonly conf: Config
  readonly root: string
  readonly clock: Clock
  readonly types: TypeRegistry
}

/** Key of the object that stands for a result or reported state which JSON alone cannot hold. */
const GRAPH_KEY = 'x-celeriac-graph'
const SIGNATURE_KEY = 'x-celeriac-signature'

/**
 * What crosses between processes: calls and results, to their wire form and back, and who may be believed.
 *
 * Plain JSON trees travel as JSON, so that Python reads them; everything else as a graph. Whatever a message makes run here
 * besides registered tasks, and whatever it has imported, it must be signed for.
 */
export class Codec {
  readonly #parts: CodecParts
  readonly #keys: KeyRing

  constructor(parts: CodecParts) {
    this.#parts = parts
    const { conf, root } = parts
    this.#keys = openKeyRing({
      secretKey: conf.secretKey,
      secretKeyFallbacks: conf.secretKeyFallbacks,
      secretKeyFile: conf.secretKeyFile,
      signatureLifetimeMs: conf.signatureLifetime * 1000,
      root,
      inMemory: conf.taskAlwaysEager || [conf.brokerUrl, conf.resultBackend].every((url) => url.startsWith('memory:')),
    })
  }

  /**
   * The body of a call, as `buildTaskMessage` takes it.
   * @throws {@link EncodeError} with the path to what cannot travel.
   */
  encodeCall(
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>> | undefined,
    traveller: Traveller | undefined,
    embed?: Embed,
  ): Pick<TaskMessageInput, 'argsText' | 'kwargsText' | 'content'> {
    if (traveller === undefined && arePlainTrees(kwargs === undefined ? args : [args, kwargs])) {
      return { argsText: JSON.stringify(args), kwargsText: kwargs === undefined ? undefined : JSON.stringify(kwargs) }
    }
    const call = [args, kwargs ?? {}, embed ?? null, ...(traveller === undefined ? [] : [traveller.fn])]
    const { text } = writeGraph(call, {
      ...this.#writing('call'),
      names: ['args', 'kwargs', 'embed', 'function'],
      classesByValue: true,
      traveller,
    })
    return { content: { body: text, contentType: GRAPH_CONTENT_TYPE, contentEncoding: 'utf-8' } }
  }

  /**
   * Reads a call: at once when it is plain JSON, else after its signature was checked.
   * @throws {@link DecodeError} or {@link ContentDisallowed}, and may reject with them.
   */
  decodeCall(message: EncodedBody, options: ReadOptions): DecodedCall | Promise<DecodedCall> {
    return message.contentType === GRAPH_CONTENT_TYPE ? this.#decodeGraph(message, options) : decodeBody(message, options)
  }

  async #decodeGraph(message: EncodedBody, options: ReadOptions): Promise<DecodedCall> {
    const content = await readGraphText(bodyText(message, options.maxSize), this.#reading(true))
    const [args, kwargs, embed, fn] = Array.isArray(content) ? (content as unknown[]) : []
    return { ...bodyOf(args, kwargs, embed), fn: typeof fn === 'function' ? fn : undefined }
  }

  /**
   * A result, or what a task reports of itself, as JSON; undefined for undefined.
   * @throws {@link EncodeError} with the path to what cannot travel, which begins with `path`.
   */
  encodeResult(taskId: string, value: unknown, path: string): string | undefined {
    if (value === undefined) return undefined
    if (isPlainTree(value) && !isWrapped(value)) return JSON.stringify(value)
    const { text, hasCode } = writeGraph(value, { ...this.#writing(path), classesByValue: false })
    if (!hasCode) return `{"${GRAPH_KEY}": ${text}}`
    const signature = this.#keys.signResult(taskId, signedText(JSON.parse(text)), this.#parts.clock.now())
    return `{"${GRAPH_KEY}": ${text}, "${SIGNATURE_KEY}": ${JSON.stringify(signature)}}`
  }

  /**
   * Undoes {@link encodeResult}. Gives a promise where something has to be imported.
   *
   * Whoever can write to the result backend can write a result, so nothing is imported for one that is not signed.
   * @throws {@link SecurityError} when its signature does not hold. @throws {@link DecodeError} when it is malformed.
   */
  decodeResult(taskId: string, stored: unknown): unknown {
    if (!isWrapped(stored)) return stored
    const document = stored[GRAPH_KEY]
    const signature = stored[SIGNATURE_KEY]
    if (signature === undefined) return readGraph(document, this.#reading(false))
    const refusal = this.#keys.verifyResult(taskId, signedText(document), signature, this.#parts.clock.now())
    if (refusal !== undefined) throw new SecurityError(`Refusing the result of task ${taskId}: ${refusal.detail}`, refusal.reason)
    return readGraph(document, this.#reading(true))
  }

  /**
   * Reads the keys now rather than with the first message.
   * @throws {@link ImproperlyConfigured} when there is none, or their file is not safe.
   */
  open(): void {
    this.#keys.open(this.#parts.clock.now())
  }

  /** Adds the signature to a message of one's own that is complete but for that. */
  seal(message: Message): void {
    const headers = message.headers as Record<string, unknown>
    headers[SIGNATURE_HEADER] = this.#keys.sign(message, this.#parts.clock.now())
  }

  /** Whether a message is signed; a refusal when its signature does not hold, or when it needs one and has none. */
  verify(message: Signable): Refusal | boolean {
    if ((message.headers[SIGNATURE_HEADER] ?? null) !== null) return this.#keys.verify(message, this.#parts.clock.now()) ?? true
    return message.contentType === GRAPH_CONTENT_TYPE ? this.unsigned('It holds more than plain data') : false
  }

  /** Why a message that is not signed is refused. */
  unsigned(what: string): Refusal {
    const advice = 'Messages without a signature run registered tasks with plain data only. Let the sender have the same secret key, in CELERY_SECRET_KEY or its file.'
    return { reason: 'unsigned', detail: `${what}, and is not signed. ${advice}` }
  }

  #writing(path: string): { root: string; path: string; types: TypeRegistry } {
    const { conf, root, types } = this.#parts
    return { root, path, types: conf.sanitizeArguments ? types : NO_TYPES }
  }

  #reading(allowCode: boolean): { root: string; types: TypeRegistry; allowCode: boolean; packages: 'any' } {
    const { root, types } = this.#parts
    return { root, types, allowCode, packages: 'any' }
  }
}

function isWrapped(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && Object.hasOwn(value, GRAPH_KEY)
}

/** The text of a document that is signed: the same on both sides, whatever has rewritten the blanks in the JSON around it. */
function signedText(document: unknown): string {
  return stringifyJson(document, 'graph')
}

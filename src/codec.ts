import type { Config } from './config/config.ts'
import { EncodeError, SecurityError } from './errors.ts'
import type { Travel } from './functions/travel.ts'
import { arePlainTrees, isPlainTree } from './graph/plain.ts'
import { readGraph, readGraphText } from './graph/read.ts'
import { NO_TYPES, type TypeRegistry } from './graph/types.ts'
import { writeGraph } from './graph/write.ts'
import type { Clock } from './internal/clock.ts'
import { bodyOf, bodyText, decodeBody, type Embed, type EncodedBody, GRAPH_CONTENT_TYPE, type ReadOptions, serializeBody, type TaskBody } from './protocol/body.ts'
import { stringifyJson, stringifyWithTimes } from './protocol/json.ts'
import { isObject } from './protocol/malformed.ts'
import type { Message, TaskMessageInput } from './protocol/message.ts'
import { commonHeaders, FormedMessage, signatureOf } from './protocol/message-form.ts'
import type { SerializerName } from './protocol/serializers/open.ts'
import { restoreTypes } from './protocol/typed-values.ts'
import { FUNCTION_HEADER, type KeyRing, openKeyRing, type Refusal, type Signable, SIGNATURE_HEADER } from './signing/key-ring.ts'

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
   * The body of a call of a function, as `buildTaskMessage` takes it: in the serializer asked for when it is a plain tree.
   * @throws {@link EncodeError} with the path to what cannot travel.
   */
  encodeCall(
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>> | undefined,
    traveller: Traveller | undefined,
    embed?: Embed,
    serializer: SerializerName = 'json',
  ): Pick<TaskMessageInput, 'argsText' | 'kwargsText' | 'content'> {
    if (traveller === undefined && arePlainTrees(kwargs === undefined ? args : [args, kwargs])) {
      if (serializer !== 'json') return { content: serializeBody(serializer, args, kwargs ?? {}, embed) }
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
   * The body of a call of which only the name is known, e.g. of a Python worker's task: never a graph.
   *
   * A Date becomes ISO 8601 text in JSON, a time in YAML; bytes stay bytes in msgpack and YAML.
   * @throws {@link EncodeError} with the path to what the serializer cannot hold.
   */
  encodeNamedCall(
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>> | undefined,
    embed?: Embed,
    serializer: SerializerName = 'json',
  ): Pick<TaskMessageInput, 'argsText' | 'kwargsText' | 'content'> {
    if (serializer !== 'json') return { content: serializeBody(serializer, args, kwargs ?? {}, embed) }
    return { argsText: stringifyWithTimes(args, 'args'), kwargsText: kwargs && stringifyWithTimes(kwargs, 'kwargs') }
  }

  /**
   * Reads a call: at once when it is plain JSON, else after its signature was checked.
   * @throws {@link DecodeError} or {@link ContentDisallowed}, and may reject with them.
   */
  decodeCall(message: EncodedBody, options: ReadOptions): DecodedCall | Promise<DecodedCall> {
    if (message.contentType === GRAPH_CONTENT_TYPE) return this.#decodeGraph(message, options)
    // Ours hold plain data only, which may look like a type of kombu's.
    return decodeBody(message, message.headers['lang'] === 'js' ? options : { ...options, restoreTypes: true })
  }

  async #decodeGraph(message: EncodedBody, options: ReadOptions): Promise<DecodedCall> {
    const content = await readGraphText(bodyText(message, options.maxSize), this.#reading(true))
    const [args, kwargs, embed, fn] = Array.isArray(content) ? (content as unknown[]) : []
    return { ...bodyOf(args, kwargs, embed), fn: typeof fn === 'function' ? fn : undefined }
  }

  /**
   * A result, or what a task reports of itself, as JSON; undefined for undefined.
   * `forOthers`: who asked for it did not sign, so it may be Python, which cannot read a graph. Then times are text, and
   * NaN and integers of any size are JSON as Python has it; only what even that cannot hold is a graph.
   * @throws {@link EncodeError} with the path to what cannot travel, which begins with `path`.
   */
  encodeResult(taskId: string, value: unknown, path: string, forOthers = false): string | undefined {
    if (value === undefined) return undefined
    if (isPlainTree(value) && !isWrapped(value)) {
      const plain = JSON.stringify(value)
      // Whoever reads it would take it for a type of kombu's.
      if (!plain.includes('"__type__"')) return plain
    }
    const readable = forOthers && !isWrapped(value) ? forPython(value, path) : undefined
    if (readable !== undefined) return readable
    const { text, hasCode } = writeGraph(value, { ...this.#writing(path), classesByValue: false })
    if (!hasCode) return `{"${GRAPH_KEY}": ${text}}`
    const signature = this.#keys.signResult(taskId, signedText(JSON.parse(text)), this.#parts.clock.now())
    return `{"${GRAPH_KEY}": ${text}, "${SIGNATURE_KEY}": ${JSON.stringify(signature)}}`
  }

  /**
   * Undoes {@link encodeResult}, and reads what kombu 5.3 and later have for dates and bytes. Gives a promise where something has to be imported.
   *
   * Whoever can write to the result backend can write a result, so nothing is imported for one that is not signed.
   * @throws {@link SecurityError} when its signature does not hold. @throws {@link DecodeError} when it is malformed.
   */
  decodeResult(taskId: string, stored: unknown): unknown {
    if (!isWrapped(stored)) return restoreTypes(stored)
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

  /**
   * Adds the signature to a message of one's own that is complete but for that.
   *
   * Not where none is needed: plain data for a task that is known by name, which a worker of any language may change and send on
   * (a retry has another `eta`).
   */
  seal(message: Message): void {
    if (message.contentType !== GRAPH_CONTENT_TYPE && (commonHeaders(message)[FUNCTION_HEADER] ?? null) === null) return
    const signature = this.#keys.sign(message, this.#parts.clock.now())
    if (message instanceof FormedMessage) message.signature = signature
    else (message.headers as Record<string, unknown>)[SIGNATURE_HEADER] = signature
  }

  /** Whether a message is signed; a refusal when its signature does not hold, or when it needs one and has none. */
  verify(message: Signable): Refusal | boolean {
    if ((signatureOf(message) ?? null) !== null) return this.#keys.verify(message, this.#parts.clock.now()) ?? true
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

function forPython(value: unknown, path: string): string | undefined {
  try {
    return stringifyWithTimes(value, path)
  } catch (error) {
    if (error instanceof EncodeError) return undefined
    throw error
  }
}

/** The text of a document that is signed: the same on both sides, whatever has rewritten the blanks in the JSON around it. */
function signedText(document: unknown): string {
  return stringifyJson(document, 'graph')
}

import { READY_STATES, type State } from '../states.ts'
import { ContentDisallowed, DecodeError } from '../errors.ts'
import { parseJson, stringifyJson } from './json.ts'
import { excerpt, isObject, malformed } from './malformed.ts'
import { argsRepr, kwargsRepr } from './repr.ts'
import type { SerializerName } from './serializers/open.ts'
import { formatTime, parseTime } from './time.ts'

/** What {@link encodeResultMeta} writes. */
export interface ResultMetaInput {
  readonly taskId: string
  readonly status: State
  /** JSON of the value, of the exception in states that hold one; undefined for the value undefined, which Python sees as None. */
  readonly resultText: string | undefined
  readonly traceback: string | null
  /** Milliseconds since 1970. Written in states after which nothing more happens. */
  readonly dateDoneMs?: number | undefined
  /** Ids of the tasks that the task sent. */
  readonly children?: readonly string[] | undefined
  readonly groupId?: string | undefined
  readonly parentId?: string | undefined
  /** What `result_extended` adds. */
  readonly extended?: ExtendedMeta | undefined
}

/** About the call, as far as it is known: JSON values, or the texts that logs show. */
export interface ExtendedMeta {
  /** Name of the task. */
  readonly name: string
  /** JSON of the arguments, where there are no keywords and the caller has it; `args` and `kwargs` are then not looked at. */
  readonly argsText?: string | undefined
  readonly args?: unknown
  readonly kwargs?: unknown
  /** Node name of the worker. */
  readonly worker: string
  readonly retries: number
  readonly queue: string
}

/** A stored state of a task. */
export interface ResultMeta {
  /** Undefined when the record does not say; every known writer does. */
  readonly taskId: string | undefined
  readonly status: State
  /** The value; `decodeException` reads it in states that hold an exception. */
  readonly result: unknown
  readonly traceback: string | null
  /** Ids of the tasks that the task sent; of a group, those of its members. */
  readonly children: readonly string[]
  /** Milliseconds since 1970. */
  readonly dateDone: number | undefined
  readonly groupId: string | undefined
  readonly parentId: string | undefined
  readonly name: string | undefined
  readonly args: unknown
  readonly kwargs: unknown
  readonly worker: string | undefined
  readonly retries: number | undefined
  readonly queue: string | undefined
}

/** What stands for the result undefined: JSON has no word for it. */
const UNDEFINED = 'null, "undefined": true'

/**
 * Writes a result meta, in Celery's order, around a value that is JSON already.
 * @throws {@link EncodeError} when the extended part cannot be written.
 */
export function encodeResultMeta(input: ResultMetaInput): string {
  const { status, dateDoneMs } = input
  const dateDone = dateDoneMs !== undefined && READY_STATES.has(status) ? `"${formatTime(dateDoneMs)}"` : 'null'
  const children = input.children === undefined ? '[]' : JSON.stringify(input.children.map(taskTuple))
  let text = `{"status": ${quoted(status)}, "result": ${input.resultText ?? UNDEFINED}, "traceback": ${JSON.stringify(input.traceback)}`
  text += `, "children": ${children}, "date_done": ${dateDone}`
  if (input.groupId !== undefined) text += `, "group_id": ${quoted(input.groupId)}`
  if (input.parentId !== undefined) text += `, "parent_id": ${quoted(input.parentId)}`
  if (input.extended !== undefined) text += `, ${encodeExtended(input.extended)}`
  return `${text}, "task_id": ${quoted(input.taskId)}}`
}

function encodeExtended({ argsText, ...meta }: ExtendedMeta): string {
  if (argsText === undefined) return encodeFields(meta)
  const { name, worker, retries, queue } = meta
  return `"name": ${quoted(name)}, "args": ${argsText}, "kwargs": {}, "worker": ${quoted(worker)}, "retries": ${retries}, "queue": ${quoted(queue)}`
}

/** Nearly all that is quoted here needs no escape, and to see that costs less than to look for what does. */
function quoted(text: string): string {
  return /^[\w.:@/-]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

function encodeFields({ name, args, kwargs, worker, retries, queue }: Omit<ExtendedMeta, 'argsText'>): string {
  const fields = { name, args: args ?? null, kwargs: kwargs ?? null, worker, retries, queue }
  try {
    return stringifyJson(fields, 'result meta').slice(1, -1)
  } catch (error) {
    if (!Array.isArray(args) || !isObject(kwargs)) throw error
    // They were msgpack or YAML, with bytes or times in it: shown as logs show them.
    return stringifyJson({ ...fields, args: argsRepr(args), kwargs: kwargsRepr(kwargs) }, 'result meta').slice(1, -1)
  }
}

/**
 * Reads a result meta, of any version of Celery; only `status` must be there.
 * @throws {@link DecodeError} when it is not a JSON object with a status, saying so of other serializers.
 * @throws {@link ContentDisallowed} when it is a pickle.
 */
export function decodeResultMeta(text: string): ResultMeta {
  const meta = readMeta(text)
  const { status } = meta
  if (typeof status !== 'string' || status === '') throw malformed('"status" of the result', 'the name of a state', status)
  return {
    taskId: textOf(meta['task_id']),
    status,
    result: meta['undefined'] === true ? undefined : (meta['result'] ?? null),
    traceback: textOf(meta['traceback']) ?? null,
    children: Array.isArray(meta['children']) ? meta['children'].flatMap(taskIds) : [],
    dateDone: timeOf(meta['date_done']),
    groupId: textOf(meta['group_id']),
    parentId: textOf(meta['parent_id']),
    name: textOf(meta['name']),
    args: meta['args'],
    kwargs: meta['kwargs'],
    worker: textOf(meta['worker']),
    retries: typeof meta['retries'] === 'number' ? meta['retries'] : undefined,
    queue: textOf(meta['queue']),
  }
}

/** Writes what `GroupResult.save()` stores: which tasks form the group. */
export function encodeGroupMeta(id: string, taskIdsInOrder: readonly string[]): string {
  return JSON.stringify({ result: [[id, null], taskIdsInOrder.map(taskTuple)] })
}

/**
 * Reads which tasks form a stored group, in order; groups within it give their members.
 * @throws {@link DecodeError} when it is not a group meta.
 */
export function decodeGroupMeta(text: string): string[] {
  const { result } = readMeta(text)
  if (!Array.isArray(result) || !Array.isArray(result[1])) throw malformed('the group', '[[id, parent], members]', result)
  return taskIds(result)
}

/** A task in Celery's form for results that refer to others: `[[id, parent], members of a group]`. */
function taskTuple(id: string): unknown {
  return [[id, null], null]
}

function taskIds(tuple: unknown): string[] {
  if (!Array.isArray(tuple)) return []
  const [head, members] = tuple as [unknown, unknown]
  if (Array.isArray(members)) return members.flatMap(taskIds)
  const id: unknown = Array.isArray(head) ? head[0] : head
  return typeof id === 'string' ? [id] : []
}

function readMeta(text: string): Readonly<Record<string, unknown>> {
  const meta = parseMeta(text)
  if (!isObject(meta)) throw malformed('the result', 'an object; both sides need result_serializer = "json"', meta)
  return meta
}

function parseMeta(text: string): unknown {
  try {
    return parseJson(text, 'the result')
  } catch (error) {
    throw otherSerializer(text) ?? error
  }
}

/**
 * Why a result cannot be read in the serializer that is expected, if it seems to be in another; undefined if not.
 *
 * A result does not say what it is written in; how it begins does. What is no UTF-8 may have been read as U+FFFD, or as Latin-1.
 */
export function otherSerializer(text: string, expected: SerializerName = 'json'): DecodeError | ContentDisallowed | undefined {
  const remedy = `Both sides need the same serializer: set result_serializer = "${expected}" in Python too (here resultSerializer is "${expected}").`
  const isBinary = /^[\x80-\x8f\xde\xdf\ufffd]/.test(text)
  // A pickle says its protocol first, 2 to 5; of msgpack this would be a key that is a number.
  if (isBinary && text.charCodeAt(1) >= 2 && text.charCodeAt(1) <= 5) {
    const why = 'reading pickle runs code chosen by whoever wrote it.'
    return new ContentDisallowed(`Refusing to read a result in pickle (application/x-python-serialize): ${why} ${remedy}`, 'application/x-python-serialize')
  }
  const seeming = isBinary ? 'msgpack' : /^[a-z_]+:( |\n)/.test(text) ? 'yaml' : /^\s*\{/.test(text) ? 'json' : undefined
  if (seeming === undefined || seeming === expected) return undefined
  return new DecodeError(`Cannot read the result: it seems to be ${seeming} (it begins ${excerpt(text.slice(0, 20))}). ${remedy}`)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** With an offset, or naive UTC as Celery wrote it before 5.5. What cannot be read is as good as not said. */
function timeOf(value: unknown): number | undefined {
  try {
    return typeof value === 'string' ? parseTime(value) : undefined
  } catch {
    return undefined
  }
}

import { READY_STATES, type State } from '../states.ts'
import { parseJson, stringifyJson } from './json.ts'
import { isObject, malformed } from './malformed.ts'
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
  readonly args: unknown
  readonly kwargs: unknown
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
  let text = `{"status": ${JSON.stringify(status)}, "result": ${input.resultText ?? UNDEFINED}, "traceback": ${JSON.stringify(input.traceback)}`
  text += `, "children": ${children}, "date_done": ${dateDone}`
  if (input.groupId !== undefined) text += `, "group_id": ${JSON.stringify(input.groupId)}`
  if (input.parentId !== undefined) text += `, "parent_id": ${JSON.stringify(input.parentId)}`
  if (input.extended !== undefined) text += `, ${encodeExtended(input.extended)}`
  return `${text}, "task_id": ${JSON.stringify(input.taskId)}}`
}

function encodeExtended({ name, args, kwargs, worker, retries, queue }: ExtendedMeta): string {
  const fields = { name, args: args ?? null, kwargs: kwargs ?? null, worker, retries, queue }
  return stringifyJson(fields, 'result meta').slice(1, -1)
}

/**
 * Reads a result meta, of any version of Celery; only `status` must be there.
 * @throws {@link DecodeError} when it is not a JSON object with a status.
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
  const meta = parseJson(text, 'the result')
  if (!isObject(meta)) throw malformed('the result', 'an object; both sides need result_serializer = "json"', meta)
  return meta
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

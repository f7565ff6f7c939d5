import type { Codec } from '../codec.ts'
import type { Config } from '../config/config.ts'
import { InvalidTaskError } from '../errors.ts'
import type { FollowUp } from '../pool.ts'
import type { Embed, WireSignature } from '../protocol/body.ts'
import { compressionName } from '../protocol/encoding.ts'
import { isObject, malformed } from '../protocol/malformed.ts'
import { buildTaskMessage } from '../protocol/message.ts'
import { serializerName } from '../protocol/serializers/open.ts'
import { newTaskId } from '../protocol/task-id.ts'
import { parseTime } from '../protocol/time.ts'

/** The task that others follow, and what sending them needs. */
export interface FollowedTask {
  readonly id: string
  readonly rootId: string
  /** The language that its message came from, which reads what becomes of the follow-ups. */
  readonly lang: string | undefined
  /** Whether its message was: if not, its sender may be Python, and so may those who read what follows. */
  readonly isSigned: boolean
  /** Whether a task of that name is one of ours, which reads what only we can write. */
  readonly isOurs: (name: string) => boolean
  readonly codec: Codec
  readonly conf: Config
  /** `gen<pid>@<host>` */
  readonly origin: string
  readonly replyTo: string
  readonly nowMs: number
}

/** What a signature gets from where it stands. */
interface Place {
  /** Goes before its own arguments, unless it is immutable. */
  readonly partial: readonly unknown[]
  readonly groupId?: string | undefined
  /** The steps after it, the next one last. */
  readonly chain?: readonly WireSignature[] | undefined
}

/**
 * What is sent when a task has succeeded: its callbacks, then the next step of its chain, each with the result before its own arguments.
 *
 * As in Celery, several callbacks go out as a group, one alone does not.
 * @throws {@link InvalidTaskError} for a chord among them. @throws {@link EncodeError} when the result cannot travel.
 * @see Celery `celery/app/trace.py`
 */
export function followUpsOf({ callbacks, chain }: Embed, result: unknown, task: FollowedTask): FollowUp[] {
  const partial = [result]
  const sent: FollowUp[] = []
  const plain = callbacks?.filter((signature) => kindOf(signature) !== 'group') ?? []
  const groupId = (callbacks?.length ?? 0) > 1 ? newTaskId(task.nowMs) : undefined
  for (const signature of callbacks ?? []) sent.push(...apply(signature, plain.includes(signature) ? { partial, groupId } : { partial }, task))
  const next = chain?.at(-1)
  if (next !== undefined) sent.push(...apply(next, { partial, chain: chain?.slice(0, -1) }, task))
  return sent
}

/** What is sent when a task has failed: its errbacks as one group, each with the failed id before its own arguments. Never throws. */
export function errbacksOf({ errbacks }: Embed, task: FollowedTask, onProblem: (problem: string) => void): FollowUp[] {
  const groupId = newTaskId(task.nowMs)
  return (errbacks ?? []).flatMap((signature) => {
    try {
      return apply(signature, { partial: [task.id], groupId }, task)
    } catch (error) {
      // It must not take the place of the error that the task failed with.
      onProblem(`An errback of task ${task.id} could not be sent: ${String(error)}`)
      return []
    }
  })
}

/** Ids of the steps of a chain that now never run: whoever waits for one of them must learn it. */
export function restOfChain({ chain }: Embed): string[] {
  return (chain ?? []).map((signature) => optionsOf(signature)['task_id']).filter((id) => typeof id === 'string')
}

/** The language that a message says it comes from. */
export function langOf(headers: Readonly<Record<string, unknown>>): string | undefined {
  return textOf(headers['lang'])
}

function apply(signature: WireSignature, place: Place, task: FollowedTask): FollowUp[] {
  switch (kindOf(signature)) {
    case 'group':
      return applyGroup(signature, place, task)
    case 'chain':
      return applyChain(signature, place, task)
    case 'chord':
      throw new InvalidTaskError(`Task ${task.id} is to be followed by a chord, which this version cannot start. Let a task start it.`)
    default:
      return [applyTask(signature, place, task)]
  }
}

function applyGroup(signature: WireSignature, { partial, chain }: Place, task: FollowedTask): FollowUp[] {
  const groupId = textOf(optionsOf(signature)['task_id']) ?? newTaskId(task.nowMs)
  return tasksOf(signature).flatMap((member) => apply(member, { partial, groupId, chain }, task))
}

function applyChain(signature: WireSignature, place: Place, task: FollowedTask): FollowUp[] {
  const [first, ...rest] = tasksOf(signature)
  if (first === undefined) return []
  return apply(first, { ...place, chain: [...(place.chain ?? []), ...rest.reverse()] }, task)
}

function applyTask(signature: WireSignature, place: Place, { codec, conf, id: parentId, isOurs, isSigned, lang, nowMs, origin, replyTo, rootId }: FollowedTask): FollowUp {
  const { task: name, args: own = [], kwargs = {}, immutable } = signature
  if (typeof name !== 'string' || !Array.isArray(own) || !isObject(kwargs)) throw malformed('a signature', 'a task with its arguments', signature)
  const options = optionsOf(signature)
  const args = immutable === true ? (own as unknown[]) : [...place.partial, ...(own as unknown[])]
  const embed = {
    callbacks: signaturesOf(options['link']),
    errbacks: signaturesOf(options['link_error']),
    chain: place.chain ?? signaturesOf(options['chain']),
    chord: isObject(options['chord']) ? options['chord'] : null,
  }
  if (textOf(options['exchange']) !== undefined && textOf(options['queue']) === undefined) {
    throw new InvalidTaskError(`"${name}" is to follow task ${parentId} through the exchange "${String(options['exchange'])}", which this version cannot route. Name a queue instead.`)
  }
  const queue = textOf(options['queue']) ?? textOf(options['routing_key']) ?? conf.taskDefaultQueue
  const etaMs = timeOf(options['eta'], 'eta') ?? fromNow(options['countdown'], nowMs)
  const serializer = serializerName(textOf(options['serializer']) ?? '') ?? conf.taskSerializer
  const id = textOf(options['task_id']) ?? newTaskId(nowMs)
  const message = buildTaskMessage({
    id,
    lang,
    task: name,
    queue,
    origin,
    replyTo: textOf(options['reply_to']) ?? replyTo,
    args,
    kwargs,
    ...(isSigned && isOurs(name) ? codec.encodeCall(args, kwargs, undefined, embed, serializer) : codec.encodeNamedCall(args, kwargs, embed, serializer)),
    embed,
    compression: compressionName(textOf(options['compression']) ?? '') ?? conf.taskCompression,
    etaMs,
    expiresMs: fromNow(options['expires'], nowMs) ?? timeOf(options['expires'], 'expires'),
    nowMs,
    shadow: textOf(options['shadow']),
    groupId: place.groupId ?? textOf(options['group_id']),
    groupIndex: numberOf(options['group_index']),
    rootId,
    parentId,
    timeLimit: numberOf(options['time_limit']),
    softTimeLimit: numberOf(options['soft_time_limit']),
    ignoreResult: options['ignore_result'] === true,
    headers: isObject(options['headers']) ? options['headers'] : undefined,
  })
  // What was not signed must not come to be by way of what follows it: it would be believed more than before.
  if (isSigned) codec.seal(message)
  return etaMs === undefined ? { queue, message } : { queue, message, dueAtMs: etaMs }
}

function kindOf(signature: WireSignature): unknown {
  return signature['subtask_type'] ?? undefined
}

/** The signatures in a group or chain; one inside a chain that is a chain itself is spliced into it when its turn comes. */
function tasksOf(signature: WireSignature): WireSignature[] {
  const { tasks } = isObject(signature['kwargs']) ? signature['kwargs'] : {}
  if (!Array.isArray(tasks) || !tasks.every(isObject)) throw malformed(`the ${String(kindOf(signature))}`, 'a list of signatures', tasks)
  return tasks
}

function optionsOf({ options }: WireSignature): Readonly<Record<string, unknown>> {
  return isObject(options) ? options : {}
}

function signaturesOf(value: unknown): readonly WireSignature[] | null {
  if (isObject(value)) return [value]
  return Array.isArray(value) && value.length > 0 ? value.filter(isObject) : null
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined
}

function timeOf(value: unknown, what: string): number | undefined {
  return typeof value === 'string' ? parseTime(value, `"${what}" of a signature`) : undefined
}

function fromNow(seconds: unknown, nowMs: number): number | undefined {
  return typeof seconds === 'number' && seconds > 0 ? nowMs + seconds * 1000 : undefined
}

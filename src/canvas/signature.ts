import { joinArguments, NO_KEYWORDS } from '../call.ts'
import { toMs } from '../config/duration.ts'
import { flag, type Parts } from '../config/kinds.ts'
import { InvalidTaskError } from '../errors.ts'
import type { WireSignature } from '../protocol/body.ts'
import { formatTime, parseTime } from '../protocol/time.ts'
import { checkOptions, listOf, SEND_KINDS, type SendOptions } from '../send-options.ts'
import { isTask, type Task } from '../task.ts'

/** A call that is still to be made, in the very form in which Celery writes it: plain data, for `link` and `linkError`. */
export interface Signature extends WireSignature {
  readonly task: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
  readonly subtask_type: null
  /** Takes no result of the task before it. */
  readonly immutable: boolean
}

/** How the call is sent once its time has come; `priority` is not among them, since Celery's means another thing on each broker. */
export interface SignatureOptions extends Omit<SendOptions, 'priority'> {
  /** Takes no result of the task before it. Default: the result is put before its own arguments. */
  readonly immutable?: boolean
}

const { priority: _priority, ...SENT } = SEND_KINDS
const KINDS: Parts<SignatureOptions> = { ...SENT, immutable: flag() }

/**
 * Writes down a call without sending it.
 * @throws {@link InvalidTaskError} for an option that is wrong or unknown, or a task without a name.
 */
export function createSignature(
  task: string | Task,
  args: readonly unknown[] = [],
  kwargs: Readonly<Record<string, unknown>> = NO_KEYWORDS,
  options: SignatureOptions = {},
): Signature {
  const name = isTask(task) ? task.name : task
  if (typeof name !== 'string' || name === '') throw new InvalidTaskError('celery.signature takes a registered task, or the name of one.')
  const joined = joinArguments(args, kwargs, 'signature')
  const { immutable = false, ...sendOptions } = checkOptions(KINDS, options, 'signature')
  return Object.freeze({
    task: name,
    args: joined.args,
    kwargs: joined.kwargs === NO_KEYWORDS ? {} : joined.kwargs,
    options: wireOptions({ ...(isTask(task) && ownOptions(task)), ...sendOptions }),
    subtask_type: null,
    immutable,
  })
}

/** Whoever sends it may not know the task. */
function ownOptions({ options: { queue, shadow, ignoreResult } }: Task): SendOptions {
  return { ...(queue !== undefined && { queue }), ...(shadow !== undefined && { shadow }), ...(ignoreResult !== undefined && { ignoreResult }) }
}

function wireOptions(options: SendOptions): Record<string, unknown> {
  const { countdown, eta, expires, taskId, ignoreResult, link, linkError, ...same } = options
  const wire: Record<string, unknown> = { ...same }
  if (countdown !== undefined) wire['countdown'] = toMs(countdown, 'countdown') / 1000
  if (eta !== undefined) wire['eta'] = formatTime(eta instanceof Date ? eta.getTime() : parseTime(eta))
  if (expires !== undefined) wire['expires'] = expires instanceof Date ? formatTime(expires.getTime()) : toMs(expires, 'expires') / 1000
  if (taskId !== undefined) wire['task_id'] = taskId
  if (ignoreResult !== undefined) wire['ignore_result'] = ignoreResult
  if (link !== undefined) wire['link'] = listOf(link)
  if (linkError !== undefined) wire['link_error'] = listOf(linkError)
  return wire
}

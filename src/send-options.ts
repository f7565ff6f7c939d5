import { compression, serializer } from './config/content-kinds.ts'
import { DURATION_FORMS, type Duration, parseDuration } from './config/duration.ts'
import { flag, integer, isPlainObject, type Kind, kind, type Parts, show, text, unknownName } from './config/kinds.ts'
import { InvalidTaskError } from './errors.ts'
import type { WireSignature } from './protocol/body.ts'
import type { CompressionName } from './protocol/encoding.ts'
import { isObject } from './protocol/malformed.ts'
import type { SerializerName } from './protocol/serializers/open.ts'
import { parseTime } from './protocol/time.ts'

/** How one message is sent. Durations are seconds, or `'500ms' | '10s' | '5m' | '2h'`. */
export interface SendOptions {
  /** Queue to send to. Default: the task's, then `taskDefaultQueue`. */
  readonly queue?: string
  /** Wait this long before running. Parked at the broker, so it survives restarts. */
  readonly countdown?: Duration
  /** Run at this time; a past one runs at once. A string is ISO 8601, without an offset in UTC. */
  readonly eta?: Date | string
  /** Do not run after this: a duration from now, or a time. The task is then REVOKED. */
  readonly expires?: Duration | Date
  /** 0 (lowest) to 9 (highest). Default 0. */
  readonly priority?: number
  /** Id to use in place of a new UUID. */
  readonly taskId?: string
  /** Name shown in logs and events in place of the task's. */
  readonly shadow?: string
  /** More headers, readable as `currentTask().headers`. Plain data. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** How it is written: `'json'`, `'msgpack'` or `'yaml'`. Default: the task's, then `taskSerializer`. */
  readonly serializer?: SerializerName
  /** How its message is compressed: `'zlib'`, `'brotli'` or `'zstd'`. Default: the task's, then `taskCompression`. */
  readonly compression?: CompressionName | 'gzip'
  /** Store neither its result nor its error. Then nobody can wait for its end. */
  readonly ignoreResult?: boolean
  /** What to call with its result when it has succeeded: one `celery.signature(…)`, or several. */
  readonly link?: WireSignature | readonly WireSignature[]
  /** What to call with its id when it has failed. */
  readonly linkError?: WireSignature | readonly WireSignature[]
}

/** Those of most calls. */
export const NO_OPTIONS: SendOptions = Object.freeze({})

/** What each option for sending must be. */
export const SEND_KINDS: Parts<SendOptions> = {
  queue: text('a name'),
  // As in Celery, one that is over means now.
  countdown: checked(DURATION_FORMS, (value) => parseDuration(value) !== undefined || (Number.isFinite(value) && Number(value) < 0)),
  eta: checked('a Date or an ISO 8601 string', (value) => isDate(value) || isTime(value)),
  expires: checked(`${DURATION_FORMS}, or a Date`, (value) => isDate(value) || parseDuration(value) !== undefined),
  priority: integer(0, 9),
  taskId: text(),
  shadow: checked('text', (value) => typeof value === 'string'),
  headers: checked('an object of plain data', isPlainObject),
  serializer,
  compression,
  ignoreResult: flag(),
  link: checked('what celery.signature makes, or an array of that', isLink),
  linkError: checked('what celery.signature makes, or an array of that', isLink),
}

/**
 * Checks options for sending; `undefined` values are left out.
 * @throws {@link InvalidTaskError} listing every problem, for an unknown name too.
 */
export function checkSendOptions(options: SendOptions, where: string): SendOptions {
  return checkOptions(SEND_KINDS, options, where)
}

/**
 * Checks options of a call or of a task, which `kinds` tells all of; `undefined` values are left out.
 * @throws {@link InvalidTaskError} listing every problem, with the nearest name for an unknown one.
 */
export function checkOptions<T extends object>(kinds: Parts<T>, options: T, where: string): T {
  if (typeof options !== 'object' || options === null) throw new InvalidTaskError(`${where} takes an object of options, not ${show(options)}.`)
  const given: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [name, value] of Object.entries(options)) {
    const here = { name, place: '' }
    if (!Object.hasOwn(kinds, name)) problems.push(unknownName(here, name, Object.keys(kinds)))
    else if (value !== undefined) {
      const read = kinds[name as keyof T].read(value, here, problems)
      if (read !== undefined) given[name] = read
    }
  }
  if (given['countdown'] !== undefined && given['eta'] !== undefined) problems.push('"countdown" and "eta" exclude each other.')
  if (problems.length > 0) throw new InvalidTaskError(`${where}: ${problems.join(' ')}`)
  return given as T
}

/** A {@link Kind} of values that stay as they are. */
export function checked<T>(expected: string, fits: (value: unknown) => boolean): Kind<T> {
  return kind(expected, (value) => (fits(value) ? (value as T) : undefined))
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isTime(value: unknown): boolean {
  try {
    parseTime(value)
    return true
  } catch {
    return false
  }
}

function isLink(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every(isSignature) : isSignature(value)
}

function isSignature(value: unknown): boolean {
  return isObject(value) && typeof value['task'] === 'string' && value['task'] !== '' && Array.isArray(value['args'])
}

/** One or several, as several. */
export function listOf(link: WireSignature | readonly WireSignature[]): readonly WireSignature[] {
  return Array.isArray(link) ? (link as readonly WireSignature[]) : [link as WireSignature]
}

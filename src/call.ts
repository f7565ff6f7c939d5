import { inspect } from 'node:util'

import type { Duration } from './config/duration.ts'
import { InvalidTaskError } from './errors.ts'

/** Keyword arguments of a call, made by {@link kw}. */
export class KeywordArguments {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  /** By parameter name. */
  get values(): Readonly<Record<string, unknown>> {
    return this.#values
  }
}

/**
 * Keyword arguments for a call: `celery.submit(add, 1, kw({ y: 2 }))`.
 *
 * They travel as Celery's kwargs and bind to the function's parameters by name.
 */
export function kw(values: Readonly<Record<string, unknown>>): KeywordArguments {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new InvalidTaskError('kw() takes one object of names and values, e.g. kw({ y: 2 }).')
  }
  return new KeywordArguments({ ...values })
}

/** The first few elements of a list of parameters; of an open-ended one, any number of them. */
export type Prefixes<A extends readonly unknown[]> = number extends A['length']
  ? A
  : Required<A> extends readonly [infer Head, ...infer Tail]
    ? [] | [Head, ...Prefixes<Tail>]
    : []

/** What a call of a function with parameters `A` may be given: all of them, or the first few and `kw({…})`. */
export type CallArguments<A extends readonly unknown[]> = A | [...Prefixes<A>, KeywordArguments]

/** Takes a trailing `kw()` off the arguments of a call. */
export function splitArguments(given: readonly unknown[]): { args: readonly unknown[]; kwargs: Readonly<Record<string, unknown>> } {
  const last = given.at(-1)
  if (last instanceof KeywordArguments) return { args: given.slice(0, -1), kwargs: last.values }
  return { args: given, kwargs: NO_KEYWORDS }
}

/** The keyword arguments of most calls. */
export const NO_KEYWORDS: Readonly<Record<string, unknown>> = Object.freeze({})

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
  /** Store neither its result nor its error. */
  readonly ignoreResult?: boolean
}

const CHECKS: { [K in keyof Required<SendOptions>]: [(value: unknown) => boolean, string] } = {
  queue: [(value) => typeof value === 'string' && value !== '', 'a name'],
  countdown: [(value) => typeof value === 'number' || typeof value === 'string', 'seconds, or a string such as "10s"'],
  eta: [(value) => value instanceof Date || typeof value === 'string', 'a Date or an ISO 8601 string'],
  expires: [(value) => value instanceof Date || typeof value === 'number' || typeof value === 'string', 'seconds, a string such as "10s", or a Date'],
  priority: [(value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 9, 'a whole number from 0 to 9'],
  taskId: [(value) => typeof value === 'string' && value !== '', 'a string that is not empty'],
  shadow: [(value) => typeof value === 'string', 'a string'],
  headers: [(value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'an object'],
  ignoreResult: [(value) => typeof value === 'boolean', 'true or false'],
}

/**
 * Checks options for sending; `undefined` values are left out.
 * @throws {@link InvalidTaskError} listing every problem, for an unknown name too.
 */
export function checkSendOptions(options: SendOptions, where: string): SendOptions {
  const checked: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [name, value] of Object.entries(options)) {
    const check = CHECKS[name as keyof SendOptions]
    if (check === undefined) problems.push(`"${name}" is not an option (known: ${Object.keys(CHECKS).join(', ')})`)
    else if (value !== undefined && !check[0](value)) problems.push(`"${name}" must be ${check[1]}, not ${describe(value)}`)
    else if (value !== undefined) checked[name] = value
  }
  if (checked['countdown'] !== undefined && checked['eta'] !== undefined) problems.push('"countdown" and "eta" exclude each other')
  if (problems.length > 0) throw new InvalidTaskError(`${where}: ${problems.join('; ')}.`)
  return checked
}

function describe(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity })
}

import { InvalidTaskError } from '../errors.ts'

/** A length of time as users write it: seconds, or text with a unit such as `'500ms'`, `'10s'`, `'5m'` or `'2h'`. */
export type Duration = number | string

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** What {@link toMs} accepts, in words for messages. */
export const DURATION_FORMS = 'seconds as a number, or text such as "500ms", "10s", "5m" or "2h"'

/**
 * Turns a {@link Duration} into whole milliseconds.
 *
 * `what` names the value in the error, e.g. `'timeout'`.
 * @throws {@link InvalidTaskError} when the value is negative, not finite or in no known form.
 */
export function toMs(value: Duration, what: string): number {
  const ms = parseDuration(value)
  if (ms === undefined) throw new InvalidTaskError(`${what} must be ${DURATION_FORMS}, not ${shown(value)}.`)
  return Math.round(ms)
}

/** The milliseconds in `value`, not rounded; undefined when it is no {@link Duration}. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  if (typeof value !== 'string') return undefined
  const [, amount, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*$/.exec(value) ?? []
  const unitMs = UNITS_MS[unit]
  return amount === undefined || unitMs === undefined ? undefined : Number(amount) * unitMs
}

/** `value` is of any type in JavaScript: only text and numbers are worth repeating. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
}

import { InvalidArgumentError } from 'commander'

import { type Duration, DURATION_FORMS, parseDuration } from '../config/duration.ts'
import { isPlainObject, type Kind, kind, splitCommas } from '../config/kinds.ts'
import { parseJson } from '../protocol/json.ts'
import { parseTime } from '../protocol/time.ts'

/**
 * Reads the value of an option as the configuration would read it.
 *
 * What it returns throws commander's `InvalidArgumentError`, saying what was expected.
 */
export function valueOf<T>(expected: Kind<T>): (text: string) => T {
  return (text) => {
    const value = expected.read(expected.fromText(text), { name: 'value', place: '' }, [])
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected.expected}.`)
    return value
  }
}

/** Positional arguments of a task. */
export const jsonArray: Kind<readonly unknown[]> = kind(
  `a JSON array such as '[1, "two"]'`,
  (value) => (Array.isArray(value) ? (value as unknown[]) : undefined),
  fromJson,
)

/** Keyword arguments of a task. */
export const jsonObject: Kind<Record<string, unknown>> = kind(
  `a JSON object such as '{"width": 640}'`,
  (value) => (isPlainObject(value) ? value : undefined),
  fromJson,
)

/** Names of queues with commas between them, at least one. */
export const queueNames: Kind<readonly string[]> = kind('names of queues with commas between them', (value) => {
  const names = typeof value === 'string' ? [...new Set(splitCommas(value))] : []
  return names.length > 0 ? names : undefined
})

/** A node name: it becomes a part of file names. */
export const nodeName: Kind<string> = kind('a name such as "foo" or "foo@%h", of letters, digits, "_", "-", ".", "%" and one "@"', (value) =>
  typeof value === 'string' && /^[\w.%-]+(@[\w.%-]+)?$/.test(value) ? value : undefined,
)

/** A point in time. */
export const time: Kind<Date> = kind('a time in ISO 8601 such as 2030-01-31T12:00:00Z', readTime)

/** A length of time, or a point in time. */
export const durationOrTime: Kind<Duration | Date> = kind(`${DURATION_FORMS}, or a time in ISO 8601`, (value) => {
  const seconds = typeof value === 'string' && /^[\d.]+$/.test(value) ? Number(value) : value
  return parseDuration(seconds) === undefined ? readTime(value) : (seconds as Duration)
})

function readTime(value: unknown): Date | undefined {
  try {
    return new Date(parseTime(value))
  } catch {
    return undefined
  }
}

/** Text that is no JSON stays text, which no kind here takes. */
function fromJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

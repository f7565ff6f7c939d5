import { inspect } from 'node:util'
import { DecodeError } from '../errors.ts'

/**
 * Makes the error for something that came over the wire in the wrong shape.
 *
 * `what` is the place (`header "eta"`), `expected` what the protocol wants there; what came is shown cut to a line.
 */
export function malformed(what: string, expected: string, got: unknown, options?: ErrorOptions): DecodeError {
  return new DecodeError(`Cannot read ${what}: expected ${expected}, got ${excerpt(got)}.`, options)
}

/** Shows a value of any size in about a line. */
export function excerpt(value: unknown): string {
  if (value === undefined) return 'nothing'
  try {
    return inspect(value, { depth: 1, maxArrayLength: 5, maxStringLength: 60, breakLength: Infinity }).slice(0, 160)
  } catch {
    return `a value of type ${typeof value}`
  }
}

/** Whether a value is an object with keys, as opposed to null, a list or a scalar. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

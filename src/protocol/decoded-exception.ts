import { isObject } from './malformed.ts'
import { restoreTypes } from './typed-values.ts'

/** Module that errors of JavaScript are said to come from. No Python module, so Python makes a class for each. */
export const JAVASCRIPT_MODULE = 'javascript'

/** An error as it is stored, read but not yet an error again. */
export interface DecodedException {
  /** Qualified class name; `Exception` when the store did not say. */
  readonly excType: string
  /** What the class was made with. */
  readonly excMessage: readonly unknown[]
  /** Where the class is from; null when the store did not say. */
  readonly excModule: string | null
  /** The whole message, when JavaScript wrote it. */
  readonly text: string | undefined
  /** Lines of the remote stack, without the message. */
  readonly stack: string | undefined
  readonly code: string | number | undefined
  /** The error's own data. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly cause: DecodedException | undefined
  /** Of an `AggregateError`. */
  readonly errors: readonly DecodedException[] | undefined
}

/** More causes than anybody reads. */
const DEEPEST_CAUSE = 20

/**
 * Reads the `result` of a result meta in an exception state.
 *
 * Takes every shape that has been seen, and anything else as an `Exception` made with it: an error that is stored badly is
 * still an error. Never throws.
 */
export function decodeException(result: unknown): DecodedException {
  return decode(restoreTypes(result), 0)
}

function decode(result: unknown, depth: number): DecodedException {
  const stored = isObject(result) ? result : {}
  const { exc_type: type, exc_message: message, exc_module: module, exc_text: text, exc_stack: stack, exc_code: code, exc_errors: errors } = stored
  const known = typeof type === 'string' && type !== ''
  return {
    excType: known ? type : 'Exception',
    excMessage: known ? asList(message) : asList(Object.keys(stored).length === 0 && isObject(result) ? null : result),
    excModule: typeof module === 'string' ? module : null,
    text: typeof text === 'string' ? text : undefined,
    stack: typeof stack === 'string' ? stack : undefined,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    fields: isObject(stored['exc_fields']) ? stored['exc_fields'] : {},
    cause: isObject(stored['exc_cause']) && depth < DEEPEST_CAUSE ? decode(stored['exc_cause'], depth + 1) : undefined,
    errors: Array.isArray(errors) && depth < DEEPEST_CAUSE ? errors.map((error) => decode(error, depth + 1)) : undefined,
  }
}

/** Python takes a single text for the one argument. */
function asList(message: unknown): readonly unknown[] {
  if (Array.isArray(message)) return message
  return message === undefined || message === null ? [] : [message]
}

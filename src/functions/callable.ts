import { inspect, types } from 'node:util'
import { InvalidTaskError } from '../errors.ts'

/**
 * Makes sure that a value is a function.
 *
 * @throws {@link InvalidTaskError} for anything else.
 */
export function assertFunction(value: unknown): asserts value is Function {
  if (typeof value === 'function') return
  const got = describeValue(value)
  throw new InvalidTaskError(`Expected a function to run, got ${got}. Pass the function itself, then its arguments: submit(add, 1, 2).`)
}

/**
 * Makes sure that a value is a function with source of its own.
 *
 * @throws {@link InvalidTaskError} for anything else, a class, and a native, bound or proxied function.
 */
export function assertRunnable(value: unknown): asserts value is Function {
  assertFunction(value)
  const problem = unrunnable(value)
  if (problem !== undefined) throw new InvalidTaskError(`${problem} Wrap it in a function of your own, and pass that.`)
}

/** What is wrong with running this function elsewhere, as a sentence; undefined when nothing is. */
export function unrunnable(fn: Function): string | undefined {
  if (types.isProxy(fn)) return `Expected a plain function, got a Proxy.`
  const text = Function.prototype.toString.call(fn)
  if (/^class\b/.test(text)) return `Expected a function, got the class ${quoted(fn)}.`
  if (!text.endsWith('{ [native code] }')) return undefined
  return fn.name.startsWith('bound ')
    ? `Expected a function with source, got a bound one (${quoted(fn)}), whose receiver and arguments cannot travel.`
    : `Expected a function with source, got the built-in ${quoted(fn)}.`
}

/** How messages call a function. */
export function describeFunction(fn: unknown): string {
  return typeof fn === 'function' && fn.name !== '' ? `The function ${quoted(fn)}` : 'The anonymous function'
}

function quoted(fn: Function): string {
  return fn.name === '' ? 'without a name' : `"${fn.name}"`
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'without a prototype'})`
  return `the ${typeof value} ${inspect(value, { maxStringLength: 60 })}`
}

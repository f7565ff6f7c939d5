import { EncodeError } from '../errors.ts'
import { describeUnsendable } from './unsendable.ts'

/**
 * Deepest nesting we write. Python's reader gives up near 1,000 levels, some of which the worker around it
 * has already used.
 */
export const DEEPEST_WRITTEN = 500

/** Python refuses to read an integer of more digits; so do we. */
export const MOST_DIGITS = 4300

/**
 * The careful half of `stringifyJson`: writes what `JSON.stringify` does not know, and refuses the rest.
 * @throws {@link EncodeError} with the exact path of the first value that cannot be written.
 */
export function writeJson(value: unknown, path: string): string {
  return write(value, { root: path, keys: [], ancestors: [] })
}

/** Where the writer stands: joined into a path only when something is refused. */
interface Walk {
  readonly root: string
  readonly keys: (string | number)[]
  readonly ancestors: object[]
}

function write(value: unknown, walk: Walk): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      return writeNumber(value)
    case 'bigint':
      return writeBigInt(value, walk)
    case 'object':
      return value === null ? 'null' : writeContainer(value, walk)
    default:
      throw refuse(value, walk)
  }
}

function writeNumber(value: number): string {
  const beyond = Number.isInteger(value) && !Number.isSafeInteger(value)
  return beyond && Math.abs(value) < 1e21 ? `${value}.0` : String(value)
}

function writeBigInt(value: bigint, walk: Walk): string {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) throw refuse(value, walk)
  const digits = String(value)
  if (digits.length > MOST_DIGITS) {
    throw refusal(walk, `has more than ${MOST_DIGITS} digits, which other readers refuse`, 'pass it as text')
  }
  return digits
}

function writeContainer(value: object, walk: Walk): string {
  const circle = walk.ancestors.indexOf(value)
  if (circle !== -1) {
    const target = pathOf({ ...walk, keys: walk.keys.slice(0, circle) })
    throw refusal(walk, `is a circular reference to ${target}, which JSON cannot hold`, 'pass an id or a copy without the reference')
  }
  if (walk.ancestors.length === DEEPEST_WRITTEN) {
    throw refusal(walk, `is nested deeper than ${DEEPEST_WRITTEN} levels, which other readers refuse`, 'flatten it or pass it as text')
  }

  walk.ancestors.push(value)
  const text = Array.isArray(value) ? writeArray(value, walk) : writeObject(value, walk)
  walk.ancestors.pop()
  return text
}

function writeArray(values: readonly unknown[], walk: Walk): string {
  const items: string[] = []
  for (let index = 0; index < values.length; index++) {
    walk.keys.push(index)
    items.push(write(values[index], walk))
    walk.keys.pop()
  }
  return `[${items.join(',')}]`
}

function writeObject(value: object, walk: Walk): string {
  if (!isPlain(value)) throw refuse(value, walk)
  const items: string[] = []
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    walk.keys.push(key)
    items.push(`${JSON.stringify(key)}:${write(item, walk)}`)
    walk.keys.pop()
  }
  return `{${items.join(',')}}`
}

/** Also true for a plain object of another realm, whose `Object.prototype` is not ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function refuse(value: unknown, walk: Walk): EncodeError {
  const { what, hint } = describeUnsendable(value)
  return refusal(walk, `is ${what}, which cannot travel to another process`, hint)
}

function refusal(walk: Walk, problem: string, hint: string): EncodeError {
  const path = pathOf(walk)
  return new EncodeError(`${path} ${problem}; ${hint}`, path)
}

function pathOf(walk: Walk): string {
  let path = walk.root
  for (const key of walk.keys) {
    if (typeof key === 'number') path += `[${key}]`
    else path += /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
  }
  return path
}

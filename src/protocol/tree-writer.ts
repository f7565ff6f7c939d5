import { EncodeError } from '../errors.ts'
import { describeUnsendable } from './unsendable.ts'

/**
 * Deepest nesting we write. Python's reader gives up near 1,000 levels, some of which the worker around it
 * has already used.
 */
export const DEEPEST_WRITTEN = 500

/** Makes the error for a value: what is wrong with it, and what to do instead. */
export type Refuse = (problem: string, hint: string) => EncodeError

/** How the values of a plain tree are written in one format; `T` is what each of them becomes. */
export interface TreeFormat<T> {
  /** Levels that its readers can follow. */
  readonly deepest: number
  scalar(value: boolean | null): T
  number(value: number): T
  /** Only integers beyond 2^53. */
  bigint(value: bigint, refuse: Refuse): T
  /** Keys too. */
  text(value: string, refuse: Refuse): T
  list(items: readonly T[]): T
  object(entries: readonly (readonly [T, T])[]): T
  /** What JSON has no word for, and this format has: undefined where it has none either. */
  special?(value: object, refuse: Refuse): T | undefined
}

/**
 * Writes a plain tree in any format, and refuses what is none. Properties that are undefined are dropped; `toJSON` is not called.
 * @throws {@link EncodeError} with the exact path of the first value that cannot be written; `path` is the root's.
 */
export function writeTree<T>(value: unknown, path: string, format: TreeFormat<T>): T {
  const walk: Walk = { root: path, keys: [], ancestors: [] }
  return write(value, walk, format, (problem, hint) => refusal(walk, problem, hint))
}

/** Where the writer stands: joined into a path only when something is refused. */
interface Walk {
  readonly root: string
  readonly keys: (string | number)[]
  readonly ancestors: object[]
}

function write<T>(value: unknown, walk: Walk, format: TreeFormat<T>, refuse: Refuse): T {
  switch (typeof value) {
    case 'string':
      return format.text(value, refuse)
    case 'boolean':
      return format.scalar(value)
    case 'number':
      return format.number(value)
    case 'bigint':
      if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) throw unsendable(value, walk)
      return format.bigint(value, refuse)
    case 'object':
      return value === null ? format.scalar(value) : writeContainer(value, walk, format, refuse)
    default:
      throw unsendable(value, walk)
  }
}

function writeContainer<T>(value: object, walk: Walk, format: TreeFormat<T>, refuse: Refuse): T {
  const special = format.special?.(value, refuse)
  if (special !== undefined) return special
  const circle = walk.ancestors.indexOf(value)
  if (circle !== -1) {
    const target = pathOf({ ...walk, keys: walk.keys.slice(0, circle) })
    throw refuse(`is a circular reference to ${target}, which JSON cannot hold`, 'pass an id or a copy without the reference')
  }
  if (walk.ancestors.length === format.deepest) {
    throw refuse(`is nested deeper than ${format.deepest} levels, which other readers refuse`, 'flatten it or pass it as text')
  }

  walk.ancestors.push(value)
  const written = Array.isArray(value) ? writeArray(value, walk, format, refuse) : writeObject(value, walk, format, refuse)
  walk.ancestors.pop()
  return written
}

function writeArray<T>(values: readonly unknown[], walk: Walk, format: TreeFormat<T>, refuse: Refuse): T {
  const items: T[] = []
  for (let index = 0; index < values.length; index++) {
    walk.keys.push(index)
    items.push(write(values[index], walk, format, refuse))
    walk.keys.pop()
  }
  return format.list(items)
}

function writeObject<T>(value: object, walk: Walk, format: TreeFormat<T>, refuse: Refuse): T {
  if (!isPlain(value)) throw unsendable(value, walk)
  const entries: [T, T][] = []
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    walk.keys.push(key)
    entries.push([format.text(key, refuse), write(item, walk, format, refuse)])
    walk.keys.pop()
  }
  return format.object(entries)
}

/** Also true for a plain object of another realm, whose `Object.prototype` is not ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function unsendable(value: unknown, walk: Walk): EncodeError {
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

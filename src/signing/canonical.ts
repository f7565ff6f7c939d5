import { EncodeError } from '../errors.ts'

/** A header nested deeper than this is none of ours. */
const DEEPEST = 16

/**
 * Text for a value that no other value has, and that is the same after any journey as JSON.
 *
 * Each part says its kind and its length, so that nothing can move from one to the next however many follow each other. The order of
 * keys does not count; null is the same as undefined, but for the field of an object, which is absent when it is undefined.
 * @throws {@link EncodeError} for what is no JSON, or nested too deep.
 */
export function canonical(value: unknown, depth = 0): string {
  if (typeof value === 'string') return `t${value.length}:${value}`
  if (value === null || value === undefined) return 'n'
  if (typeof value === 'boolean' || Number.isFinite(value)) return `j${JSON.stringify(value)};`
  if (typeof value !== 'object') throw new EncodeError(`A signed header takes plain data only, not a ${typeof value}`, 'headers')
  if (depth === DEEPEST) throw new EncodeError(`A signed header is nested more than ${DEEPEST} deep; put large data into the arguments`, 'headers')
  return Array.isArray(value) ? canonicalList(value, depth + 1) : canonicalFields(value as Readonly<Record<string, unknown>>, depth + 1)
}

function canonicalList(items: readonly unknown[], depth: number): string {
  let text = `a${items.length}:`
  for (const item of items) text += canonical(item, depth)
  return text
}

function canonicalFields(fields: Readonly<Record<string, unknown>>, depth: number): string {
  let count = 0
  let text = ''
  for (const name of Object.keys(fields).sort()) {
    const value = fields[name]
    if (value === undefined) continue
    count++
    text += canonical(name) + canonical(value, depth)
  }
  return `o${count}:${text}`
}

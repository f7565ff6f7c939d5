import type { Travel } from '../functions/travel.ts'
import { placeOfCode } from '../functions/function-code.ts'
import { referenceName } from '../functions/reference.ts'

/** How messages call a function or class: `the function add`. */
export function functionName(fn: Function): string {
  const isClass = Function.prototype.toString.call(fn).startsWith('class')
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value
  if (typeof name === 'string' && name !== '') return `the ${isClass ? 'class' : 'function'} ${name}`
  return isClass ? 'a class without a name' : 'a function without a name'
}

/** The same with where it was written: `the function add (src/app.ts:12)`. */
export function functionPlace(fn: Function, travel: Travel): string {
  const name = functionName(fn)
  if (travel.by === 'value') return `${name} (${placeOfCode(travel.code)})`
  return travel.by === 'reference' ? `${name} (${referenceName(travel.reference)})` : name
}

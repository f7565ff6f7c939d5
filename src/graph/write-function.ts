import type { Travel } from '../functions/travel.ts'
import type { WireFields, WireNode } from './document.ts'
import { functionPlace } from './function-name.ts'
import type { NodeWriter } from './node-writer.ts'
import type { Hold } from './place.ts'

/** Writes a function or class. */
export function writeFunction(fn: Function, writer: NodeWriter): WireNode {
  writer.markCode()
  const travel = writer.travel(fn)
  switch (travel.by) {
    case 'reference':
      return { t: 'm', m: travel.reference.m, p: travel.reference.p }
    case 'import':
      return writeImport(travel.binding.specifier, travel.binding.path, travel.binding.origin, writer)
    case 'bound':
      return {
        t: 'B',
        f: writer.value(travel.target, { words: ' (the function that is bound)' }),
        x: writer.value(travel.receiver, { words: ' (bound this)' }),
        a: travel.args.map((argument, index) => writer.value(argument, { words: ` (bound argument ${index})` })),
      }
    case 'value':
      return writeByValue(fn, travel, writer)
  }
}

function writeByValue(fn: Function, travel: Extract<Travel, { by: 'value' }>, writer: NodeWriter): WireNode {
  const of = functionPlace(fn, travel)
  const properties = writePairs(travel.properties, writer, (name) => name)
  const members = writePairs(travel.prototypeMembers, writer, (name) => ({ words: `.prototype.${name}` }))
  return {
    t: 'f',
    c: travel.code,
    k: travel.variables.map(([name]) => name),
    w: travel.variables.map(([name, value]) => writer.value(value, { variable: name, of })),
    ...(travel.superclass !== undefined && { x: writer.value(travel.superclass, { words: ' (its superclass)' }) }),
    ...(properties && { a: properties }),
    ...(members && { q: members }),
  }
}

function writePairs(pairs: readonly (readonly [string, unknown])[], writer: NodeWriter, holdOf: (name: string) => Hold): WireFields | undefined {
  if (pairs.length === 0) return undefined
  return { k: pairs.map(([name]) => name), w: pairs.map(([name, value]) => writer.value(value, holdOf(name))) }
}

/** Writes an import. */
export function writeImport(specifier: string, path: readonly string[], origin: string | undefined, writer: NodeWriter): WireNode {
  writer.markCode()
  return { t: 'y', s: specifier, ...(origin !== undefined && { u: origin }), p: path }
}

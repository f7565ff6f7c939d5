import { pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import { UnreachableFunctionError } from '../errors.ts'
import { type FunctionCode, isIdentifier, placeOfCode } from './function-code.ts'
import { provide } from './import-binding.ts'
import { defaultLoader, fileName, pathOfName } from './origin.ts'

/** A function that is being made again. */
export interface Rebuilding {
  /** Gives a captured variable its value. For a class, before {@link make}: its static parts run then. */
  assign(name: string, value: unknown): void
  make(superclass?: unknown): Function
}

/** What a function that came by value was made of, with its variables as they are now. */
export interface Rebuilt {
  readonly code: FunctionCode
  readonly variables: readonly (readonly [name: string, value: unknown])[]
}

interface Variable {
  readonly get: () => unknown
  readonly set: (value: unknown) => void
}

/** What compiled code returns: access to its variables, and the expression to evaluate. */
type Instance = [variables: readonly Variable[], make: (superclass: unknown) => Function]

const MOST_COMPILED = 1_000
const compiled = new Map<string, (...provided: unknown[]) => Instance>()
const origins = new WeakMap<Function, { readonly code: FunctionCode; readonly read: () => Rebuilt['variables'] }>()

/**
 * Makes a function again from its code. `names` are the variables that it captures.
 * @throws {@link UnreachableFunctionError} when this Node cannot compile the code.
 */
export function rebuildFunction(code: FunctionCode, names: readonly string[], root: string): Rebuilding {
  const provided = Object.values(code.g ?? {}).map((kind) => provide(kind, fileName(pathOfName(code.o ?? code.u, root), root), root))
  const [variables, evaluate] = compile(code, names, root)(...provided)
  const byName = new Map(names.map((name, index) => [name, variables[index]]))
  return {
    assign: (name, value) => byName.get(name)?.set(value),
    make: (superclass) => {
      const fn = evaluate(superclass)
      if (code.x === undefined && typeof superclass === 'function') inherit(fn, superclass)
      rename(fn, code.n)
      origins.set(fn, { code, read: () => [...byName].map(([name, variable]) => [name, variable?.get()]) })
      return fn
    },
  }
}

/** What {@link rebuildFunction} made this function of; undefined for any other. */
export function rebuiltFrom(fn: Function): Rebuilt | undefined {
  const origin = origins.get(fn)
  return origin && { code: origin.code, variables: origin.read() }
}

function compile(code: FunctionCode, names: readonly string[], root: string): (...provided: unknown[]) => Instance {
  const key = JSON.stringify([root, names, code])
  const known = compiled.get(key)
  if (known !== undefined) return known
  const made = compileCode(code, names, root)
  if (compiled.size >= MOST_COMPILED) compiled.clear()
  compiled.set(key, made)
  return made
}

function compileCode(code: FunctionCode, names: readonly string[], root: string): (...provided: unknown[]) => Instance {
  const wrong = names.find((name) => !isIdentifier(name))
  if (wrong !== undefined) throw uncompilable(code, `${JSON.stringify(String(wrong).slice(0, 50))} is no name of a variable`)
  const value = unused('$value', code.s, names)
  const directive = code.j === 1 ? '' : "'use strict';"
  const declared = names.length === 0 ? '' : `var ${names.join(',')};`
  const variables = names.map((name) => `{get:()=>${name},set:(${value})=>{${name}=${value}}}`)
  // All on one line before the source, so that its lines keep their numbers.
  const body = `${directive}${declared}return[[${variables.join(',')}],(${code.x ?? value})=>(${code.s}\n)]`
  try {
    return compileFunction(body, Object.keys(code.g ?? {}), {
      filename: scriptName(code.u, root),
      lineOffset: code.l,
      importModuleDynamically: defaultLoader(),
    }) as (...provided: unknown[]) => Instance
  } catch (cause) {
    throw uncompilable(code, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/**
 * What stack traces call the code. Where this process applies source maps, the name is one that it has no map for: the lines
 * are right already, and those of the module of that name would be taken for ours.
 */
function scriptName(file: string | undefined, root: string): string {
  if (!file?.startsWith('./') && !file?.startsWith('file:')) return file ?? 'evaluated code'
  const path = pathOfName(file, root)
  return process.sourceMapsEnabled ? pathToFileURL(path).href.replace(/\/(?=[^/]*$)/, '/./') : path
}

/** As `class … extends` and what compilers make of it do. */
function inherit(fn: Function, superclass: Function): void {
  Object.setPrototypeOf(fn, superclass)
  Object.setPrototypeOf(fn.prototype, superclass.prototype as object)
}

/** The name that the place gave it: `const double = (x) => …` has no other in an expression. */
function rename(fn: Function, name: string): void {
  const own = Object.getOwnPropertyDescriptor(fn, 'name')
  const isOrdinary = own === undefined || (own.configurable === true && typeof own.value === 'string')
  if (isOrdinary && own?.value !== name && (own !== undefined || name !== '')) Object.defineProperty(fn, 'name', { value: name, configurable: true })
}

function unused(name: string, source: string, names: readonly string[]): string {
  return source.includes(name) || names.includes(name) ? unused(`${name}$`, source, names) : name
}

function uncompilable(code: FunctionCode, why: string, cause?: unknown): UnreachableFunctionError {
  const advice = 'Run this process on the version of Node that submits, or a later one.'
  const message = `Cannot make the function "${code.n}" (${placeOfCode(code)}) again: ${why}. ${advice}`
  return new UnreachableFunctionError(message, cause === undefined ? {} : { cause })
}

import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { UnreachableFunctionError } from '../errors.ts'
import { unrunnable } from './callable.ts'
import { isModuleFile, packageOf, pathBelow } from './module-path.ts'
import { nearestNames } from './nearest.ts'
import { FORBIDDEN_NAMES, isHolder, LONGEST_PATH, ownProperty } from './own-path.ts'
import type { FunctionReference } from './reference.ts'

const { cache: commonJsModules } = createRequire(import.meta.url)

/** What a reference may reach. */
export interface ResolveOptions {
  /** Names of the installed packages that it may lead into. Default: none. */
  readonly packages?: readonly string[] | 'any' | undefined
  /** True for what a function captures rather than for a task: it may be a class, or a bound function. */
  readonly isCaptured?: boolean | undefined
}

/** What a module exports, and which of it are getters that may be called. */
interface Loaded {
  readonly exported: unknown
  readonly mayGet: boolean
}

/** By root and module: checking a path costs more than running a short task. */
const loading = new Map<string, Promise<Loaded>>()

/** True for a value that has the shape of a reference; whether it leads anywhere is another matter. */
export function isFunctionReference(value: unknown): value is FunctionReference {
  if (typeof value !== 'object' || value === null) return false
  const { t, m, p } = value as Partial<Record<string, unknown>>
  return t === 'm' && typeof m === 'string' && Array.isArray(p) && p.length > 0 && p.every((name) => typeof name === 'string')
}

/**
 * Imports the module that a reference names and walks to what it points at.
 *
 * The reference may come from anyone, so it reaches nothing but what the modules below `root` export: no
 * packages but those of `options`, no built-in modules, no inherited members. Importing runs the module; who may ask for that is
 * decided before.
 * @throws {@link UnreachableFunctionError} when the reference is refused, the module cannot be imported, or
 * nothing callable is there.
 */
export async function resolveReference(reference: FunctionReference, root: string, options: ResolveOptions = {}): Promise<unknown> {
  const { exported, mayGet } = await loadOnce(reference, root, options.packages ?? [])
  const found = walk(exported, reference, mayGet)
  if (typeof found === 'object' && found !== null) return found
  if (options.isCaptured === true && typeof found === 'function') return found
  const problem = typeof found === 'function' ? unrunnable(found) : `Expected a function, got ${found === null ? 'null' : typeof found}.`
  if (problem !== undefined) throw refused(reference, problem)
  return found
}

/**
 * Imports a module below the root and returns its namespace; the path of the reference is only for messages.
 * @throws {@link UnreachableFunctionError} when it is not there, is in a package, or cannot be imported.
 */
export async function importModule(reference: FunctionReference, root: string): Promise<object> {
  return await importFile(reference, moduleFile(reference, root, []))
}

function loadOnce(reference: FunctionReference, root: string, packages: readonly string[] | 'any'): Promise<Loaded> {
  const key = [root, reference.m, String(packages)].join('\0')
  const known = loading.get(key)
  if (known !== undefined) return known
  const loaded = load(reference, root, packages)
  loading.set(key, loaded)
  loaded.catch(() => loading.delete(key))
  return loaded
}

async function load(reference: FunctionReference, root: string, packages: readonly string[] | 'any'): Promise<Loaded> {
  const file = moduleFile(reference, root, packages)
  const namespace = await importFile(reference, file)
  // Not the namespace that `import` makes of it: that lacks names which Node cannot see in the source.
  const commonJs: unknown = commonJsModules[file]?.exports
  if (commonJs === undefined || types.isModuleNamespaceObject(commonJs)) return { exported: namespace, mayGet: true }
  // A transpiler writes exports as getters that only pass on a variable.
  return { exported: commonJs, mayGet: isHolder(commonJs) && ownProperty(commonJs, '__esModule')?.value === true }
}

function moduleFile(reference: FunctionReference, root: string, packages: readonly string[] | 'any'): string {
  const named = reference.m
  const [first, ...others] = named.split('/')
  const isPlain = first === '.' && others.length > 0 && !others.some((name) => name === '' || name === '.' || name === '..')
  if (!isPlain || /[\\\0]/.test(named)) throw refused(reference, 'Expected the path of a module below the root, as ./src/tasks.ts.')
  const file = existingFile(reference, root)
  const path = pathBelow(root, file)
  if (path === undefined) throw refused(reference, `The file is outside ${root}.`)
  for (const name of [packageOf(named), packageOf(path)]) {
    if (name === undefined || packages === 'any' || packages.includes(name)) continue
    throw refused(reference, `Functions of installed packages are not run by reference, unless the package is listed: "${name}".`)
  }
  if (!isModuleFile(path) || !isModuleFile(named)) throw refused(reference, 'By its extension the file is not a module.')
  return file
}

function existingFile(reference: FunctionReference, root: string): string {
  try {
    return realpathSync(join(root, reference.m))
  } catch (cause) {
    const advice = 'Give this process the same code and root as the one that submits.'
    throw refused(reference, `There is no such file below ${root}. ${advice}`, cause)
  }
}

async function importFile(reference: FunctionReference, file: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object
  } catch (cause) {
    throw refused(reference, `The module failed to load: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

/** `mayGet`: whether an export that is a getter is called. A getter anywhere else may do something, and is not. */
function walk(start: unknown, reference: FunctionReference, mayGet: boolean): unknown {
  if (reference.p.length > LONGEST_PATH) throw refused(reference, `The path is longer than ${LONGEST_PATH} names.`)
  const [name = '', ...names] = reference.p
  // `module.exports = function …` is what `import` calls the default.
  if (typeof start === 'function' && name === 'default' && names.length === 0) return start
  return names.reduce((holder, member) => memberOf(holder, member, false, reference), memberOf(start, name, mayGet, reference))
}

function memberOf(holder: unknown, name: string, mayGet: boolean, reference: FunctionReference): unknown {
  if (FORBIDDEN_NAMES.has(name)) throw refused(reference, `The name "${name}" is never followed.`)
  if (!isHolder(holder)) throw refused(reference, `What should have "${name}" is neither an object nor a function.`)
  const descriptor = types.isProxy(holder) ? undefined : ownProperty(holder, name)
  if (descriptor === undefined) throw missing(holder, name, reference)
  if ('value' in descriptor) return descriptor.value
  if (mayGet) return (holder as Record<string, unknown>)[name]
  throw refused(reference, `"${name}" is a getter, and getters are not called.`)
}

function missing(holder: object, name: string, reference: FunctionReference): Error {
  const known = types.isProxy(holder) ? [] : Object.getOwnPropertyNames(holder)
  const near = nearestNames(name, known).map((candidate) => `"${candidate}"`)
  const hint = near.length > 0 ? ` Nearest: ${near.join(', ')}.` : ''
  const what = name === reference.p[0] ? `The module does not export "${name}".` : `There is no own property "${name}".`
  return refused(reference, `${what}${hint} Give this process the same code as the one that submits.`)
}

function refused(reference: FunctionReference, why: string, cause?: unknown): UnreachableFunctionError {
  const shown = `${reference.m}#${reference.p.join('.')}`.slice(0, 200)
  return new UnreachableFunctionError(`Cannot resolve ${JSON.stringify(shown)}. ${why}`, cause === undefined ? {} : { cause })
}

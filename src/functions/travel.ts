import { relative, sep } from 'node:path'
import { types } from 'node:util'
import { analyse } from './analysis.ts'
import { builtinBinding, isNative } from './builtins.ts'
import { assertRunnable } from './callable.ts'
import { type Captured, readCaptures } from './captures.ts'
import { refuseChanged } from './changed-class.ts'
import type { FunctionCode } from './function-code.ts'
import { importedAs, ImportBinding } from './import-binding.ts'
import { type FunctionSite, inspectBound, inspectFunction, inspectorAvailable, loadedScript, scriptUrl } from './inspector.ts'
import { findExportPath, isExported } from './live-exports.ts'
import { mainScript } from './main-script.ts'
import { fileOfUrl, isModuleFile, pathBelow } from './module-path.ts'
import { fileName } from './origin.ts'
import { propertiesOf, prototypeMembersOf, superclassOf } from './own-properties.ts'
import { type FunctionReference, knownReference, referenceName, searchReference, valueName } from './reference.ts'
import { rebuiltFrom } from './rebuild.ts'
import { builtIn, inPackage } from './unreachable.ts'
import { nativeCode, needsReceiver, noInspector, proxied, tied, unreadable } from './unsendable-function.ts'

/** How a function or class gets to another process. */
export type Travel =
  | { readonly by: 'reference'; readonly reference: FunctionReference }
  /** One of Node's own functions or classes. */
  | { readonly by: 'import'; readonly binding: ImportBinding }
  | { readonly by: 'bound'; readonly target: Function; readonly receiver: unknown; readonly args: readonly unknown[]; readonly name: string }
  | ByValue

/** Its code and what it captures go along. */
export interface ByValue {
  readonly by: 'value'
  readonly code: FunctionCode
  /** What it captures, as it is now; an import is an {@link ImportBinding}. */
  readonly variables: readonly Captured[]
  /** What a class extends, or a function that a compiler made of one. */
  readonly superclass: unknown
  /** Own enumerable properties: of a class, its static fields. */
  readonly properties: readonly Captured[]
  /** What was added to its prototype: `Point.prototype.norm = …`. */
  readonly prototypeMembers: readonly Captured[]
}

/** What {@link travelOf} may do. */
export interface TravelOptions {
  /** Directory that references are relative to. */
  readonly root: string
  /** True for what `submit` itself was given: no class, none of Node's own functions, no method that needs its object. */
  readonly isTask: boolean
  /** Installed packages whose functions may be tasks. Default: none. */
  readonly packages?: readonly string[] | 'any' | undefined
}

/** Functions that were not found among what their module exports, and where was looked. */
const withoutReference = new WeakMap<Function, string>()
/** The same for all functions that are made at one place inside another function. */
const placesWithoutReference = new Set<string>()
const MOST_PLACES = 10_000

/**
 * How a function or class travels. Synchronous: what it captures is read now.
 *
 * @throws {@link UnreachableFunctionError} naming what in it cannot travel.
 * @throws {@link InvalidTaskError} for a task that is a class, or one of Node's own functions.
 */
export function travelOf(fn: Function, options: TravelOptions): Travel {
  const { root, isTask } = options
  const packages = isTask ? options.packages : 'any'
  if (types.isProxy(fn)) throw proxied(fn)
  const imported = isTask ? undefined : importedAs(fn)
  if (imported !== undefined) return { by: 'import', binding: imported }
  if (isNative(fn)) return travelOfNative(fn, options)
  if (isTask) assertRunnable(fn)
  const reference = knownReference(fn, { root, packages })
  if (reference !== undefined) return { by: 'reference', reference }
  const rebuilt = rebuiltFrom(fn)
  if (rebuilt !== undefined) return byValue(fn, rebuilt.code, rebuilt.variables)
  if (!inspectorAvailable()) return withoutInspector(fn, root)

  const site = inspectFunction(fn)
  if (site === undefined) throw nativeCode(fn)
  const url = scriptUrl(site.scriptId)
  if (url.startsWith('node:')) return travelOfBuiltin(fn, isTask)
  const found = findOnce(fn, site, { root, packages })
  if (found !== undefined) return { by: 'reference', reference: found }
  if (isTask) refuseOfPackage(fn, url, root)
  const binding = isTask ? undefined : importFromOutside(fn, site, root)
  return binding === undefined ? travelByValue(fn, site, options) : { by: 'import', binding }
}

/** The name that people see: `src/app:double`, `src/app:anonymous`. */
export function travelName(fn: Function, travel: Travel): string {
  switch (travel.by) {
    case 'reference':
      return referenceName(travel.reference)
    case 'import':
      return `${travel.binding.specifier}:${fn.name}`
    case 'bound':
      return travel.name
    case 'value':
      return valueName(travel.code.u, travel.code.n)
  }
}

function travelOfNative(fn: Function, options: TravelOptions): Travel {
  // Some of Node's own are bound, too.
  const bound = builtinBinding(fn) === undefined ? inspectBound(fn) : undefined
  if (bound === undefined) return travelOfBuiltin(fn, options.isTask)
  const { target } = bound
  if (options.isTask && /^class\b/.test(Function.prototype.toString.call(target))) assertRunnable(target)
  return { by: 'bound', ...bound, name: options.isTask ? boundName(target, { ...options, isTask: false }) : target.name }
}

/** That of the function which was bound in the end. */
function boundName(target: Function, options: TravelOptions): string {
  const travel = travelOf(target, options)
  return travel.by === 'bound' ? boundName(travel.target, options) : travelName(target, travel)
}

function travelOfBuiltin(fn: Function, isTask: boolean): Travel {
  if (isTask) throw isNative(fn) && !inspectorAvailable() && fn.name.startsWith('bound ') ? noInspector(fn) : builtIn(fn)
  const binding = builtinBinding(fn)
  if (binding === undefined) throw nativeCode(fn)
  return { by: 'import', binding }
}

function withoutInspector(fn: Function, root: string): Travel {
  const found = searchReference(fn, { root })
  if (!(found instanceof Error)) return { by: 'reference', reference: found }
  const builtin = builtinBinding(fn)
  if (builtin !== undefined) return { by: 'import', binding: builtin }
  throw noInspector(fn)
}

function findOnce(fn: Function, site: FunctionSite, { root, packages }: Pick<TravelOptions, 'root' | 'packages'>): FunctionReference | undefined {
  const where = `${packages === undefined || packages === 'any' ? packages : packages.join()}:${root}`
  const place = `${site.scriptId}:${site.line}:${site.column}:${where}`
  if (withoutReference.get(fn) === where || (placesWithoutReference.has(place) && !isExportedItself(fn, site))) return undefined
  const found = searchReference(fn, { root, site, packages })
  if (!(found instanceof Error)) return found
  withoutReference.set(fn, where)
  if (analyse(fn, site, root)?.isNested === true) {
    if (placesWithoutReference.size >= MOST_PLACES) placesWithoutReference.clear()
    placesWithoutReference.add(place)
  }
  return undefined
}

/** What a module outside the root exports, as one of a monorepo's packages: imported by its path from the root. */
function importFromOutside(fn: Function, site: FunctionSite, root: string): ImportBinding | undefined {
  const file = fileOfUrl(scriptUrl(site.scriptId))
  if (file === undefined || file === mainScript() || file.startsWith(root + sep) || pathBelow(root, file) !== undefined) return undefined
  const path = findExportPath(fn, site, loadedScript(site.scriptId), file)
  if (path === undefined || !isModuleFile(file)) return undefined
  return new ImportBinding(relative(root, file).split(sep).join('/'), path, './_')
}

/** One of the functions made at a place may be exported, as in `export const double = times(2)`. */
function isExportedItself(fn: Function, site: FunctionSite): boolean {
  const file = fileOfUrl(scriptUrl(site.scriptId))
  return file !== undefined && isExported(fn, site, loadedScript(site.scriptId), file)
}

function refuseOfPackage(fn: Function, url: string, root: string): void {
  if (!url.includes('/node_modules/') && !url.includes('\\node_modules\\')) return
  const file = fileOfUrl(url)
  if (file !== undefined) throw inPackage(fn, pathBelow(root, file) ?? file)
}

function travelByValue(fn: Function, site: FunctionSite, { root, isTask }: TravelOptions): ByValue {
  const analysis = analyse(fn, site, root)
  if (analysis === undefined) throw unreadable(fn, placeOf(site, root))
  const [tie] = analysis.ties
  if (tie !== undefined) throw tied(fn, tie, analysis.placeAt(tie.start))
  if (isTask && analysis.needsReceiver) throw needsReceiver(fn, analysis.placeAt(0))
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value
  const code = analysis.codeNamed(typeof name === 'string' ? name : '')
  refuseChanged(fn, analysis.members, site, code.k === 1)
  return byValue(fn, code, readCaptures(fn, analysis, site, root))
}

function placeOf({ scriptId, line }: FunctionSite, root: string): string {
  const file = fileOfUrl(scriptUrl(scriptId))
  return `${file === undefined ? 'evaluated code' : fileName(file, root).replace(/^\.\//, '')}:${line + 1}`
}

function byValue(fn: Function, code: FunctionCode, variables: readonly Captured[]): ByValue {
  const isClass = code.k === 1
  return {
    by: 'value',
    code,
    variables,
    superclass: superclassOf(fn),
    properties: propertiesOf(fn, isClass),
    prototypeMembers: prototypeMembersOf(fn, isClass),
  }
}

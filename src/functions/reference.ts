import { readFileSync } from 'node:fs'
import { findInCallers } from './call-site.ts'
import { unrunnable } from './callable.ts'
import { inspectFunction, inspectorAvailable, loadedScript, scriptUrl } from './inspector.ts'
import type { FunctionSite } from './inspector.ts'
import { findDefaultPath, findExportPath, isSteady } from './live-exports.ts'
import { isGuardedMain, mainScript } from './main-script.ts'
import { fileOfUrl, isModuleFile, packageOf, pathBelow } from './module-path.ts'
import { membersOf } from './own-path.ts'
import {
  builtIn,
  inPackage,
  inUnguardedMain,
  notAModule,
  notExported,
  notFoundInSource,
  outsideRoot,
  putThereLater,
  withoutFile,
  withoutSource,
} from './unreachable.ts'

/** How a function travels by name: where another process of the same project finds it. */
export interface FunctionReference {
  readonly t: 'm'
  /** The module that defines it, below the project's root, with `/` separators: `./src/tasks.ts`. */
  readonly m: string
  /** The path from the module's exports: `['add']`, `['Tasks', 'sub']`, `['default']`. */
  readonly p: readonly string[]
}

/** The most functions that a wrapper holds which are asked for their module. */
const MOST_HELD = 16

const known = new WeakMap<object, { readonly root: string; readonly reference: FunctionReference }>()

/**
 * The reference of any exported object, such as a task; undefined where there is none.
 *
 * An object does not say where it was made: its module is that of a function it holds in a property or
 * captures, or of `near`.
 */
export function findReference(value: object, root: string, near?: Function): FunctionReference | undefined {
  const found = searchReference(value, { root, near })
  return found instanceof Error ? undefined : found
}

/** The name that people see for a reference: `src/tasks:add`. */
export function referenceName(reference: FunctionReference): string {
  return `${reference.m.replace(/^\.\//, '').replace(/\.[^./]+$/, '')}:${reference.p.join('.')}`
}

/** The name that people see for a function without a reference: `src/app:double`, `src/app:anonymous`. */
export function valueName(file: string | undefined, name: string): string {
  const module = file?.replace(/^\.\//, '').replace(/^.*\/(?=[^/]*$)/, (folder) => (folder.includes(':') ? '' : folder)) ?? 'evaluated'
  return `${module.replace(/\.[^./]+$/, '')}:${name === '' ? 'anonymous' : name}`
}

/**
 * The root-relative path of the file that a function was written in, e.g. `src/tasks.ts`.
 *
 * Undefined for one from outside the root, without a file, or where there is no inspector. May be called
 * while the module is being evaluated.
 */
export function moduleOf(fn: Function, root: string): string | undefined {
  const site = inspectFunction(fn)
  const file = site && fileOfUrl(scriptUrl(site.scriptId))
  return file === undefined ? undefined : pathBelow(root, file)
}

/** Names of installed packages. */
type Packages = readonly string[] | 'any' | undefined

/** Where {@link searchReference} looks. */
export interface SearchOptions {
  readonly root: string
  /** Installed packages that the reference may lead into. Default: none. */
  readonly packages?: Packages
  /** What is known of the function already. */
  readonly site?: FunctionSite | undefined
  readonly near?: Function | undefined
}

/** The reference that was found before; undefined for what was not looked for, and what has none. */
export function knownReference(value: object, { root, packages }: SearchOptions): FunctionReference | undefined {
  const hit = known.get(value)
  return hit?.root === root && mayLeadInto(packageOf(hit.reference.m), packages) ? hit.reference : undefined
}

/** Searches for the reference of a function, class or object, whatever it is. The error says why there is none. */
export function searchReference(value: object, options: SearchOptions): FunctionReference | Error {
  return knownReference(value, options) ?? search(value, options)
}

function search(value: object, options: SearchOptions): FunctionReference | Error {
  const { root, near, packages } = options
  if (!inspectorAvailable()) return searchCallers(value, root)
  const own = options.site ?? (typeof value === 'function' ? inspectFunction(value) : undefined)
  let problem: Error | undefined
  for (const site of sitesAround(value, own, near)) {
    const found = searchModule(value, site, { root, packages, isOwn: site === own })
    if (!(found instanceof Error)) return remember(value, root, found)
    problem ??= found
  }
  return problem ?? withoutSource(value)
}

/** One site per module that may export the value: its own first, then those of the functions it wraps. */
function* sitesAround(value: object, own: FunctionSite | undefined, near: Function | undefined): Generator<FunctionSite> {
  const seen = new Set<string>()
  if (own !== undefined) {
    seen.add(own.scriptId)
    yield own
  }
  const captured = own?.scopes.filter((scope) => !scope.isModule).flatMap((scope) => [...membersOf(scope.variables)]) ?? []
  const held = [near, ...[...membersOf(value), ...captured].map((member) => member.value)]
  for (const fn of held.filter((candidate) => typeof candidate === 'function').slice(0, MOST_HELD)) {
    const site = inspectFunction(fn)
    if (site === undefined || seen.has(site.scriptId)) continue
    seen.add(site.scriptId)
    yield site
  }
}

interface ModuleSearch {
  readonly root: string
  readonly packages: Packages
  /** The site is that of the value itself. */
  readonly isOwn: boolean
}

function searchModule(value: object, site: FunctionSite, { root, packages, isOwn }: ModuleSearch): FunctionReference | Error {
  const url = scriptUrl(site.scriptId)
  if (url.startsWith('node:')) return builtIn(value)
  const file = fileOfUrl(url)
  if (file === undefined) return withoutFile(value)

  const module = importable(value, file, root, packages)
  if (module instanceof Error) return module
  const script = loadedScript(site.scriptId)
  if (file === mainScript() && !isGuardedMain(script.source)) return inUnguardedMain(value, module)
  const path = findExportPath(value, site, script, file) ?? (isOwn ? findDefaultPath(site, script) : undefined)
  if (path === undefined) return notExported(value, module, site.line + 1)
  if (!isSteady(value, path, isOwn ? site : undefined, script)) return putThereLater(value, module, path)
  return { t: 'm', m: `./${module}`, p: path }
}

function searchCallers(value: object, root: string): FunctionReference | Error {
  const found = typeof value === 'function' && unrunnable(value) === undefined ? findInCallers(value) : undefined
  if (found === undefined) return notFoundInSource(value)
  const module = importable(value, found.file, root, undefined)
  if (module instanceof Error) return module
  if (found.file === mainScript() && !isGuardedMain(readFileSync(found.file, 'utf8'))) return inUnguardedMain(value, module)
  return remember(value, root, { t: 'm', m: `./${module}`, p: found.path })
}

function remember(value: object, root: string, reference: FunctionReference): FunctionReference {
  known.set(value, { root, reference })
  return reference
}

/** The file's path below the root, or why another process must not import it. */
function importable(value: object, file: string, root: string, packages: Packages): string | Error {
  const module = pathBelow(root, file)
  if (module === undefined) return outsideRoot(value, file, root)
  if (!mayLeadInto(packageOf(module), packages)) return inPackage(value, module)
  return isModuleFile(module) ? module : notAModule(value, module)
}

function mayLeadInto(name: string | undefined, packages: Packages): boolean {
  return name === undefined || packages === 'any' || packages?.includes(name) === true
}

import { createRequire } from 'node:module'
import { getLineInfo } from 'acorn'
import type { Function as FunctionNode, Program } from 'acorn'
import { isFunction, moduleExports, placeOf, wrappedExports, writtenFunctions } from './exports.ts'
import type { ModuleExport } from './exports.ts'
import type { FunctionSite, LoadedScript, Scope } from './inspector.ts'
import { findOwnPath, membersOf } from './own-path.ts'
import type { Candidate } from './own-path.ts'
import { parseScript } from './parse.ts'
import { isSteadyPath } from './steady.ts'

/** Native modules and ours share one cache of CommonJS modules. */
const { cache: commonJsModules } = createRequire(import.meta.url)
const programs = new WeakMap<LoadedScript, Program | undefined>()
const exportLists = new WeakMap<LoadedScript, readonly ModuleExport[]>()

/**
 * The path from a loaded module's exports to the very object `value`.
 *
 * `site` is any function of that module: its scopes hold the live values of the exported variables, so that
 * nothing is imported, which would wait for ever on a module that is still in its top-level await.
 */
export function findExportPath(
  value: object,
  site: FunctionSite,
  script: LoadedScript,
  file: string,
): readonly string[] | undefined {
  return findOwnPath(value, exportedValues(site, script, file))
}

/** Whether the value itself is exported, rather than something that holds it. */
export function isExported(value: object, site: FunctionSite, script: LoadedScript, file: string): boolean {
  return findOwnPath(value, exportedValues(site, script, file), 1) !== undefined
}

function exportedValues(site: FunctionSite, script: LoadedScript, file: string): Iterable<Candidate> {
  const moduleScope = site.scopes.find((scope) => scope.isModule)
  if (moduleScope !== undefined) return valuesOf(exportsOf(script, moduleExports), [moduleScope])
  if (script.source.includes('__vite_ssr_')) return valuesOf(exportsOf(script, wrappedExports), site.scopes)
  return commonJsExports(file)
}

/**
 * The path to a function that is written within `export default …`.
 *
 * Such an export has no variable that a scope would show; but it is evaluated once, so the place tells.
 */
export function findDefaultPath(site: FunctionSite, script: LoadedScript): readonly string[] | undefined {
  const program = programOf(script)
  const inDefault = program ? writtenFunctions(program).filter(({ path }) => path[0] === 'default') : []
  return inDefault.find(({ node }) => isAt(node, site, script))?.path
}

/** Whether another process that imports the module finds the same at the path. `site` is that of a function itself, in this script. */
export function isSteady(value: object, path: readonly string[], site: FunctionSite | undefined, script: LoadedScript): boolean {
  // Packages wrap all of themselves into functions, and are not changed while a program runs.
  if (script.url.includes('/node_modules/')) return true
  const program = programOf(script)
  if (program === undefined) return false
  const exported = exportsOf(script, script.source.includes('__vite_ssr_') ? wrappedExports : moduleExports)
  return isSteadyPath(program, exported, path, (node) => {
    if (typeof value !== 'function') return true
    if (isFunction(node)) return site !== undefined && isAt(node, site, script)
    return script.source.slice(node.start, node.end) === Function.prototype.toString.call(value)
  })
}

function isAt(node: FunctionNode, site: FunctionSite, script: LoadedScript): boolean {
  const place = getLineInfo(script.source, placeOf(node, script.source))
  return place.line === site.line + 1 && place.column === site.column
}

function exportsOf(script: LoadedScript, read: (program: Program) => readonly ModuleExport[]): readonly ModuleExport[] {
  const known = exportLists.get(script)
  if (known !== undefined) return known
  const program = programOf(script)
  const exported = program === undefined ? [] : read(program)
  exportLists.set(script, exported)
  return exported
}

/** A loaded script, parsed once; undefined when it cannot be. */
export function programOf(script: LoadedScript): Program | undefined {
  if (!programs.has(script)) programs.set(script, parseScript(script.source))
  return programs.get(script)
}

/** Takes each variable from the outermost scope that has it: an inner one of the same name is another variable. */
function* valuesOf(exported: readonly ModuleExport[], scopes: readonly Scope[]): Generator<Candidate> {
  for (const { name, local } of exported) {
    if (local === undefined) continue
    const scope = scopes.findLast((candidate) => local in candidate.variables)
    if (scope === undefined) continue
    try {
      yield { path: [name], value: scope.variables[local] }
    } catch {
      // Not initialised yet: the module is still being evaluated.
    }
  }
}

function* commonJsExports(file: string): Generator<Candidate> {
  const exported: unknown = commonJsModules[file]?.exports
  if ((typeof exported !== 'object' && typeof exported !== 'function') || exported === null) return
  if (typeof exported === 'function') yield { path: ['default'], value: exported }
  for (const { name, value } of membersOf(exported)) yield { path: [name], value }
  if (!('__esModule' in exported)) return
  // A transpiler's getters only pass on a variable; any other getter may do something.
  for (const name of Object.keys(exported)) yield { path: [name], value: (exported as Record<string, unknown>)[name] }
}

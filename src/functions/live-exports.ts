import { createRequire } from 'node:module'
import { getLineInfo } from 'acorn'
import type { Function as FunctionNode, Program } from 'acorn'
import { isReassigned, isWrittenAsMember, moduleExports, placeOf, wrappedExports, writtenFunctions } from './exports.ts'
import type { ModuleExport } from './exports.ts'
import type { FunctionSite, LoadedScript, Scope } from './inspector.ts'
import { findOwnPath, membersOf } from './own-path.ts'
import type { Candidate } from './own-path.ts'
import { parseScript } from './parse.ts'

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

/**
 * Whether another process that imports the module finds this very function at the path: an export that is assigned anew while the
 * program runs, or what is put into an exported object, is found only here.
 */
export function isSteady(path: readonly string[], site: FunctionSite | undefined, script: LoadedScript): boolean {
  const program = programOf(script)
  if (program === undefined) return false
  const [name, ...members] = path
  if (members.length > 0) return site !== undefined && isWrittenAsMember(program, members.at(-1) ?? '', (node) => isAt(node, site, script))
  const read = script.source.includes('__vite_ssr_') ? wrappedExports : moduleExports
  const local = exportsOf(script, read).find((exported) => exported.name === name)?.local
  return local === undefined || !isReassigned(program, local)
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

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { dirname, relative, sep } from 'node:path'
import { types } from 'node:util'
import type { Analysis, CapturedName } from './analysis.ts'
import { builtinBinding } from './builtins.ts'
import { standardGlobals } from './globals.ts'
import type { ImportBinding } from './import-binding.ts'
import { bindingOf, fileOfBinding } from './import-declarations.ts'
import type { FunctionSite } from './inspector.ts'
import { isGuardedMain, mainScript } from './main-script.ts'
import { ownProperty } from './own-path.ts'
import { assigns, notKept, ofItsModule, ownGlobal, uninitialised, wholeModule } from './unsendable-function.ts'

/** A captured variable as it is now. */
export type Captured = readonly [name: string, value: unknown]

const { cache: commonJsModules } = createRequire(import.meta.url)
const moduleFiles = new WeakMap<object, { readonly file: string | undefined }>()
const guarded = new Map<string, boolean>()

/** Reads what a function captures. @throws {@link UnreachableFunctionError} naming the variable that cannot go along. */
export function readCaptures(fn: Function, analysis: Analysis, site: FunctionSite, root: string): Captured[] {
  const captures: Captured[] = []
  for (const name of analysis.names) {
    const found = read(fn, name, { analysis, site, root })
    if (found !== undefined) captures.push([name.name, found.value])
  }
  return captures
}

interface Surrounding {
  readonly analysis: Analysis
  readonly site: FunctionSite
  readonly root: string
}

/** Undefined for a name that the other process has as well. */
function read(fn: Function, captured: CapturedName, { analysis, site, root }: Surrounding): { readonly value: unknown } | undefined {
  const { name, binding, assignedAt, start } = captured
  if (assignedAt !== undefined) throw assigns(fn, name, analysis.placeAt(assignedAt))
  if (binding !== undefined && !startsAgain(binding, root)) return { value: binding }
  const scopes = [...site.scopes.map(({ variables }) => variables), site.scriptVariables]
  const scope = scopes.find((variables) => Object.hasOwn(variables, name))
  if (scope === undefined) return readGlobal(fn, captured, analysis)

  let value: unknown
  try {
    value = scope[name]
  } catch {
    throw uninitialised(fn, name, analysis.placeAt(start))
  }
  const isTopLevel = scope === site.scopes.at(-1)?.variables
  if (typeof value !== 'object' || value === null) return { value }
  if (isTopLevel && analysis.isCommonJs && name === 'module') throw ofItsModule(fn, name, analysis.placeAt(start))
  return { value: moduleBinding(value, isTopLevel, analysis, root) ?? membersOf(fn, value, captured, { analysis, site, root }) }
}

/** A name that exists nowhere fails there as it would here. */
function readGlobal(fn: Function, { name, onlyTypeof, start }: CapturedName, analysis: Analysis): { readonly value: unknown } | undefined {
  if (standardGlobals().has(name)) return undefined
  if (name in globalThis) {
    // `node -e` and the REPL have Node's modules as globals.
    const value = builtinBinding((globalThis as Record<string, unknown>)[name])
    if (value === undefined) throw ownGlobal(fn, name, analysis.placeAt(start))
    return { value }
  }
  if (!onlyTypeof && analysis.codeNamed(fn.name).k === 1) throw notKept(fn, name, analysis.placeAt(start))
  return undefined
}

/** An import of the script that was started, if that would start it again. */
function startsAgain(binding: ImportBinding, root: string): boolean {
  const file = fileOfBinding(binding, root)
  return file !== undefined && isUnguardedMain(file)
}

function isUnguardedMain(file: string): boolean {
  if (file !== mainScript()) return false
  let isGuarded = guarded.get(file)
  if (isGuarded === undefined) guarded.set(file, (isGuarded = isGuardedMain(readFileSync(file, 'utf8'))))
  return !isGuarded
}

/** Of what compilers make of an import, only what the function mentions: the rest may be getters, or anything. */
function membersOf(fn: Function, value: object, { name, members, start }: CapturedName, { analysis, root }: Surrounding): unknown {
  const isOfVite = name.startsWith('__vite_ssr_import_')
  const isOwnExports = analysis.isCommonJs && name === 'exports'
  if (!isOfVite && !isOwnExports && !isModuleLike(value)) return value
  if (members === undefined) throw wholeModule(fn, name, analysis.placeAt(start))
  const entries = members.flatMap((member) => {
    if (!(member in value)) return []
    try {
      const item = (value as Record<string, unknown>)[member]
      const binding = typeof item === 'object' && item !== null ? moduleBinding(item, true, analysis, root) : undefined
      return [[member, binding ?? item] as const]
    } catch {
      throw uninitialised(fn, `${name}.${member}`, analysis.placeAt(start))
    }
  })
  return Object.fromEntries(entries)
}

function isModuleLike(value: object): boolean {
  if (types.isModuleNamespaceObject(value)) return true
  if (types.isProxy(value)) return false
  if (ownProperty(value, '__esModule') !== undefined || ownProperty(value, Symbol.toStringTag)?.value === 'Module') return true
  if (isOfGetters(value)) return true
  const inner: unknown = ownProperty(value, 'default')?.value
  return typeof inner === 'object' && inner !== null && (builtinBinding(inner) !== undefined || commonJsFile(inner) !== undefined)
}

/** A bundler's namespace: nothing but getters, and those no methods, as getters that somebody has written are. */
function isOfGetters(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const names = Object.keys(value)
  return names.length > 0 && names.every((name) => /^\(\)\s*=>/.test(ownProperty(value, name)?.get?.toString() ?? ''))
}

/** The import that gives this very object: one of Node's, or a CommonJS module. */
function moduleBinding(value: object, isTopLevel: boolean, { file }: Analysis, root: string): ImportBinding | undefined {
  if (types.isProxy(value)) return undefined
  const builtin = builtinBinding(value)
  if (builtin !== undefined || !isTopLevel || file === undefined) return builtin
  const required = commonJsFile(value)
  if (required === undefined || required === file || isUnguardedMain(required)) return undefined
  const path = relative(dirname(file), required).split(sep).join('/')
  // What `require` gives of an ES module is its namespace; anything else is what `import` calls the default.
  return bindingOf(path.startsWith('.') ? path : `./${path}`, types.isModuleNamespaceObject(value) ? [] : ['default'], file, root)
}

function commonJsFile(value: object): string | undefined {
  const known = moduleFiles.get(value)
  if (known !== undefined) return known.file
  const found = Object.values(commonJsModules).find((module) => module?.exports === value)?.filename
  moduleFiles.set(value, { file: found })
  return found
}

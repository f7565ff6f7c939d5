import { builtinModules } from 'node:module'
import { types } from 'node:util'
import { quietly } from '../internal/quietly.ts'
import { standardGlobals } from './globals.ts'
import { GLOBAL_SPECIFIER, ImportBinding } from './import-binding.ts'
import { inspectFunction, scriptUrl } from './inspector.ts'
import { isHolder, ownProperty } from './own-path.ts'

/** Asking for one of them prints that it is deprecated. */
const UNWANTED = new Set(['punycode', 'sys'])

let index = new Map<unknown, ImportBinding>()
let indexedModules = -1

/**
 * What JavaScript or Node itself defines, found by identity: a function, a class, a module, or an object such as `Math`.
 *
 * Looks into the modules that are loaded; those of which this process has something are.
 */
export function builtinBinding(value: unknown): ImportBinding | undefined {
  if (!isHolder(value)) return undefined
  const { moduleLoadList = builtinModules } = process as unknown as { readonly moduleLoadList?: readonly string[] }
  if (moduleLoadList.length !== indexedModules) {
    // Looking at them may load more, which the next call then finds.
    indexedModules = moduleLoadList.length
    index = buildIndex(loadedModules(moduleLoadList))
  }
  const binding = index.get(value) ?? namespaceBinding(value)
  return binding !== undefined && isNodesOwn(value) ? binding : undefined
}

/** True for a function without source: native code, or bound. */
export function isNative(fn: Function): boolean {
  return Function.prototype.toString.call(fn).endsWith('{ [native code] }')
}

function buildIndex(modules: readonly string[]): Map<unknown, ImportBinding> {
  const found = new Map<unknown, ImportBinding>()
  const add = (value: unknown, specifier: string, path: readonly string[]): void => {
    if (isHolder(value) && !found.has(value)) found.set(value, new ImportBinding(specifier, path))
  }
  const addMembers = (holder: unknown, specifier: string, path: readonly string[], depth: number): void => {
    if (!isHolder(holder) || types.isProxy(holder)) return
    for (const name of Object.getOwnPropertyNames(holder)) {
      const value: unknown = ownProperty(holder, name)?.value
      if (name === 'constructor' || (typeof value !== 'function' && depth === 0)) continue
      add(value, specifier, [...path, name])
      if (depth > 0) addMembers(value, specifier, [...path, name], depth - 1)
    }
  }
  found.set(globalThis, new ImportBinding(GLOBAL_SPECIFIER, []))
  for (const name of standardGlobals()) {
    const value: unknown = ownProperty(globalThis, name)?.value
    if (value === globalThis) continue
    add(value, GLOBAL_SPECIFIER, [name])
    addMembers(value, GLOBAL_SPECIFIER, [name], 0)
    if (typeof value === 'function') addMembers(value.prototype, GLOBAL_SPECIFIER, [name, 'prototype'], 0)
  }
  const exported = modules.map((specifier) => [specifier, quietly(() => process.getBuiltinModule(specifier)) as unknown] as const)
  // Modules first: `fs.promises` is `node:fs/promises`.
  for (const [specifier, value] of exported) add(value, specifier, ['default'])
  for (const [specifier, value] of exported) addMembers(value, specifier, ['default'], 1)
  return found
}

/** `import * as fs from 'node:fs'` */
function namespaceBinding(value: object): ImportBinding | undefined {
  if (!types.isModuleNamespaceObject(value)) return undefined
  const binding = index.get(ownProperty(value, 'default')?.value)
  return binding?.path.length === 1 && binding.path[0] === 'default' ? new ImportBinding(binding.specifier, []) : undefined
}

/** A program may have put a function of its own in place of a global one. */
function isNodesOwn(value: object): boolean {
  if (typeof value !== 'function' || isNative(value)) return true
  const site = inspectFunction(value)
  return site === undefined || scriptUrl(site.scriptId).startsWith('node:')
}

/** The loaded modules, by the specifier of each; with `fs`, `fs/promises` is loaded in all but name. */
function loadedModules(loadList: readonly string[]): readonly string[] {
  const loaded = new Set(['process', ...loadList.map((entry) => entry.replace(/^NativeModule /, ''))])
  const names = builtinModules.map((name) => name.replace(/^node:/, '')).filter((name) => !name.startsWith('_') && !UNWANTED.has(name))
  return names.filter((name) => loaded.has(name.replace(/\/.*/, ''))).map((name) => `node:${name}`)
}


import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { AnyNode } from 'acorn'
import { nodesIn, parseFile } from './parse.ts'

const { cache: commonJsModules } = createRequire(import.meta.url)

/** It is asked for every function of that one script, which a bundler may have made large. */
let lastLook: { readonly source: string; readonly isGuarded: boolean } | undefined
let main: { readonly given: string | undefined; readonly file: string | undefined } | undefined

/** The file that this process was started with, symbolic links resolved; undefined for `-e`, the REPL and the like. */
export function mainScript(): string | undefined {
  const given = process.argv[1]
  if (main === undefined || main.given !== given) main = { given, file: given === undefined ? undefined : resolveScript(given) }
  return main.file
}

/** How the script that was started can ask whether it is that: `import.meta.main`, in CommonJS `require.main === module`. */
export function mainGuard(): string {
  const file = mainScript()
  return file !== undefined && file in commonJsModules ? 'require.main === module' : 'import.meta.main'
}

/**
 * True when a script asks whether it is the one that was started, by `import.meta.main` or
 * `require.main === module`: another process may then import it without starting it again.
 */
export function isGuardedMain(source: string): boolean {
  if (lastLook?.source !== source) lastLook = { source, isGuarded: hasGuard(source) }
  return lastLook.isGuarded
}

function hasGuard(source: string): boolean {
  const parsed = parseFile(source)
  return parsed !== undefined && [...nodesIn(parsed.program)].some((node) => isImportMetaMain(node) || isRequireMainTest(node))
}

function resolveScript(given: string): string | undefined {
  try {
    // `node app` may mean `app.js` or `app/index.js`.
    return realpathSync(createRequire(import.meta.url).resolve(resolve(given)))
  } catch {
    return undefined
  }
}

function isImportMetaMain(node: AnyNode): boolean {
  return node.type === 'MemberExpression' && node.object.type === 'MetaProperty' && isNamed(node.property, 'main')
}

function isRequireMainTest(node: AnyNode): boolean {
  if (node.type !== 'BinaryExpression' || !/^[!=]==?$/.test(node.operator)) return false
  const sides = [node.left, node.right]
  return sides.some(isRequireMain) && sides.some((side) => isNamed(side, 'module'))
}

function isRequireMain(node: AnyNode): boolean {
  return node.type === 'MemberExpression' && isNamed(node.object, 'require') && isNamed(node.property, 'main')
}

function isNamed(node: AnyNode, name: string): boolean {
  return node.type === 'Identifier' && node.name === name
}

import type { AnyNode, Program } from 'acorn'
import { type WrittenMember, writtenMembers } from './changed-class.ts'
import { type FreeName, type Surroundings, surroundingsOf } from './free-names.ts'
import type { FunctionCode, Provided } from './function-code.ts'
import { type FunctionSource, readFunction } from './function-source.ts'
import type { ImportBinding } from './import-binding.ts'
import { importedNames } from './import-declarations.ts'
import { type FunctionSite, type LoadedScript, loadedScript } from './inspector.ts'
import { programOf } from './live-exports.ts'
import { countLines, offsetOf, positionOf } from './lines.ts'
import { fileOfUrl } from './module-path.ts'
import { originalSource } from './original-source.ts'
import { fileName } from './origin.ts'
import { childrenOf } from './parse.ts'
import type { Tie } from './scope-walk.ts'

/** What is known of all functions made at one place of the source. */
export interface Analysis {
  readonly names: readonly CapturedName[]
  readonly ties: readonly Tie[]
  /** A method that mentions the `this` it is called with. */
  readonly needsReceiver: boolean
  /** Made by another function, each time that one runs. */
  readonly isNested: boolean
  readonly isCommonJs: boolean
  /** Of a class. */
  readonly members: readonly WrittenMember[]
  /** The file it was loaded from. */
  readonly file: string | undefined
  /** A place in its source, as messages name it: `src/app.ts:12`. */
  placeAt(start: number): string
  codeNamed(name: string): FunctionCode
}

/** A variable that a function captures. */
export interface CapturedName extends FreeName {
  /** The import that declares it. */
  readonly binding: ImportBinding | undefined
}

const MOST_PLACES = 10_000
const MOST_NAMES = 100
const analyses = new Map<string, Analysis | undefined>()

/** What CommonJS gives to each of its modules, and we to a function that has left it. */
const COMMON_JS: ReadonlyMap<string, Provided> = new Map([
  ['require', 'require'],
  ['__filename', 'filename'],
  ['__dirname', 'dirname'],
])

/** What a test runner makes of `import.meta` and `import()`. */
const OF_VITE: ReadonlyMap<string, Provided> = new Map([
  ['__vite_ssr_import_meta__', 'meta'],
  ['__vite_ssr_dynamic_import__', 'import'],
])

/** Analyses a function, once for each place in the source. Undefined when its source cannot be read by itself. */
export function analyse(fn: Function, site: FunctionSite, root: string): Analysis | undefined {
  const key = `${site.scriptId}:${site.line}:${site.column}:${root}`
  if (analyses.has(key)) return analyses.get(key)
  const given = Function.prototype.toString.call(fn)
  const source = readFunction(given)
  const analysis = source && analyseSource(given, source, site, root)
  if (analyses.size >= MOST_PLACES) analyses.clear()
  analyses.set(key, analysis)
  return analysis
}

function analyseSource(given: string, source: FunctionSource, site: FunctionSite, root: string): Analysis {
  const script = loadedScript(site.scriptId)
  const file = fileOfUrl(script.url)
  const program = programOf(script)
  const start = startOf(given, script, site)
  const around = program === undefined ? [] : enclosing(program, start, start + given.length)
  const isModule = site.scopes.some((scope) => scope.isModule)
  const isStrict = isModule || around.some(isStrictNode)

  const original = originalSource(script, source, start)
  const { text, node } = original?.source ?? source
  const line = original?.line ?? script.startLine + positionOf(script.source, start + source.from.given).line
  const shown = original?.file ?? file
  const surroundings = surroundingsOf(node, isStrict)
  const imported = isModule && program && file ? importedNames(program, file, root) : new Map<string, ImportBinding>()
  const isCommonJs = !isModule && file !== undefined && !script.source.includes('__vite_ssr_')
  const { names, provided } = sortNames(surroundings.names, site, imported, isCommonJs)
  const edited = edit(text, node as AnyNode, surroundings, { provided, needsImport: file === undefined || original !== undefined })

  const code: Omit<FunctionCode, 'n'> = {
    s: edited.text,
    ...(shown !== undefined ? { u: fileName(shown, root) } : script.url !== '' && { u: script.url }),
    l: line,
    ...(original !== undefined && file !== undefined && shown !== file && { o: fileName(file, root) }),
    ...(node.type === 'ClassExpression' && { k: 1 }),
    ...(!isStrict && { j: 1 }),
    ...(edited.superclass !== undefined && { x: edited.superclass }),
    ...(Object.keys(edited.provided).length > 0 && { g: edited.provided }),
  }
  const codes = new Map<string, FunctionCode>()
  const place = code.u?.replace(/^\.\//, '') ?? 'evaluated code'
  return {
    names,
    ties: surroundings.ties,
    needsReceiver: source.isMethod && surroundings.usesOwnThis,
    isNested: around.filter(isFunctionNode).length > (script.source.includes('__vite_ssr_') ? 1 : 0),
    isCommonJs,
    members: writtenMembers(source.node as AnyNode, source.text),
    file,
    placeAt: (offset) => `${place}:${line + 1 + countLines(text.slice(0, offset))}`,
    codeNamed: (name) => {
      const known = codes.get(name)
      if (known !== undefined) return known
      const named = { ...code, n: name }
      if (codes.size < MOST_NAMES) codes.set(name, named)
      return named
    },
  }
}

/** Tells imports and what the worker gives from the variables whose values go along. */
function sortNames(
  free: readonly FreeName[],
  site: FunctionSite,
  imported: ReadonlyMap<string, ImportBinding>,
  isCommonJs: boolean,
): { names: CapturedName[]; provided: Record<string, Provided> } {
  const names: CapturedName[] = []
  const provided: Record<string, Provided> = {}
  for (const name of free) {
    const scope = site.scopes.find(({ variables }) => Object.hasOwn(variables, name.name))
    // In `node -e` and the REPL they are globals.
    const isOfModule = scope === undefined ? name.name in globalThis : isCommonJs && scope === site.scopes.at(-1)
    const kind = OF_VITE.get(name.name) ?? (isOfModule ? COMMON_JS.get(name.name) : undefined)
    if (kind !== undefined) provided[name.name] = kind
    else names.push({ ...name, binding: scope === undefined || scope.isModule ? imported.get(name.name) : undefined })
  }
  return { names, provided }
}

interface Edited {
  readonly text: string
  readonly provided: Readonly<Record<string, Provided>>
  readonly superclass: string | undefined
}

/** Puts names in place of what has a meaning only where it is written: `import.meta`, `import(…)`, and the superclass. */
function edit(
  text: string,
  node: AnyNode,
  { metas, imports, replacesItself }: Surroundings,
  { provided, needsImport }: { readonly provided: Record<string, Provided>; readonly needsImport: boolean },
): Edited {
  const edits = new Map<number, { readonly end: number; readonly by: string }>()
  const name = (wanted: string): string => (text.includes(wanted) ? name(`${wanted}$`) : wanted)
  const all = { ...provided }
  const superclass = node.type === 'ClassExpression' && node.superClass ? node.superClass : undefined
  if (superclass) edits.set(superclass.start, { end: superclass.end, by: name('$superclass') })
  for (const meta of metas) edits.set(meta.start, { end: meta.end, by: name('$importMeta') })
  if (metas.length > 0) all[name('$importMeta')] = 'meta'
  if (needsImport) for (const call of imports) edits.set(call.start, { end: call.start + 'import'.length, by: name('$import') })
  if (needsImport && imports.length > 0) all[name('$import')] = 'import'

  let edited = ''
  let from = 0
  for (const [start, { end, by }] of [...edits].toSorted(([a], [b]) => a - b)) {
    if (start < from) continue
    const removed = text.slice(start, end)
    edited += text.slice(from, start) + by + '\n'.repeat(countLines(removed))
    from = end
  }
  edited += text.slice(from)
  // The name of a function expression is constant, that of a declaration is not.
  if (replacesItself && node.type === 'FunctionExpression' && node.id) edited = `(() => { ${edited}; return ${node.id.name} })()`
  return { text: edited, provided: all, superclass: superclass && name('$superclass') }
}

/** Where the text of the function begins in its script: V8 names a place within it. */
function startOf(given: string, script: LoadedScript, site: FunctionSite): number {
  const start = script.source.lastIndexOf(given, offsetOf(script.source, { line: site.line - script.startLine, column: site.column }))
  // A test runner may count from another column than that of the source which the inspector shows.
  return start === -1 ? script.source.indexOf(given) : start
}

/** The nodes around a part of a program, outermost first. */
function enclosing(program: Program, start: number, end: number): AnyNode[] {
  const nodes: AnyNode[] = []
  let inner: AnyNode | undefined = program
  while (inner !== undefined) {
    nodes.push(inner)
    const children: AnyNode[] = childrenOf(inner)
    inner = children.find((child) => child.start <= start && child.end >= end && child.end - child.start > end - start)
  }
  return nodes
}

function isStrictNode(node: AnyNode): boolean {
  if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') return true
  const body = node.type === 'Program' ? node.body : isFunctionNode(node) && node.body.type === 'BlockStatement' ? node.body.body : []
  return body.some((statement) => statement.type === 'ExpressionStatement' && statement.directive === 'use strict')
}

function isFunctionNode(node: AnyNode): node is AnyNode & { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' } {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
}

import type { AnyNode, CallExpression, Function as FunctionNode, Pattern, Program } from 'acorn'
import { LONGEST_PATH } from './own-path.ts'
import { nodesIn } from './parse.ts'

/** One export of a module: the name others import, and what stands behind it. */
export interface ModuleExport {
  readonly name: string
  /** The variable behind it; undefined for an anonymous default export. */
  readonly local: string | undefined
  /** What is written as its value, as far as that is in this module. */
  readonly node: AnyNode | undefined
}

/** A function written in a module, and the path from the module's exports to it. */
export interface WrittenFunction {
  readonly path: readonly string[]
  readonly node: FunctionNode
}

/** The variables of a module's top level, each with what is written as its value, if that is one expression. */
export type Declarations = Map<string, AnyNode | undefined>

/** The exports that a module defines itself; what it passes on from others (`export … from`) is left out. */
export function moduleExports(program: Program): ModuleExport[] {
  const declared = declarationsOf(program.body)
  const named = (name: string, local: string): ModuleExport => ({ name, local, node: declared.get(local) })
  return program.body.flatMap((statement) => {
    if (statement.type === 'ExportDefaultDeclaration') {
      const node = statement.declaration
      if (node.type === 'Identifier') return [named('default', node.name)]
      const isDeclaration = node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration'
      return [{ name: 'default', local: isDeclaration ? node.id?.name : undefined, node }]
    }
    if (statement.type !== 'ExportNamedDeclaration' || statement.source) return []
    if (statement.declaration) return [...declarationsOf([statement]).keys()].map((local) => named(local, local))
    return statement.specifiers.map(({ exported, local }) => named(nameOf(exported), nameOf(local)))
  })
}

/**
 * The exports of a module that a test runner has wrapped into a function, read from the calls by which it
 * registers them: `__vite_ssr_exportName__("add", () => { try { return add } catch {} })`.
 */
export function wrappedExports(program: Program): ModuleExport[] {
  return [...nodesIn(program)].flatMap((node) => {
    if (node.type !== 'CallExpression' || !registersExport(node)) return []
    const name = node.arguments.find((argument) => argument.type === 'Literal')?.value
    const returned = [...nodesIn(node)].find((inner) => inner.type === 'ReturnStatement')?.argument
    return typeof name === 'string' && returned?.type === 'Identifier' ? [{ name, local: returned.name, node: undefined }] : []
  })
}

/** Every function that is written out below an export: itself, in an object literal, or as a static member. */
export function writtenFunctions(program: Program): WrittenFunction[] {
  const declared = declarationsOf(program.body)
  return moduleExports(program).flatMap(({ name, node }) => (node ? [...functionsBelow(node, [name], declared)] : []))
}

/** The offset that V8 gives as a function's place: an arrow's first character, any other function's `(`. */
export function placeOf(node: FunctionNode, source: string): number {
  return node.type === 'ArrowFunctionExpression' ? node.start : source.indexOf('(', node.id?.end ?? node.start)
}

function* functionsBelow(node: AnyNode, path: readonly string[], declared: Declarations): Generator<WrittenFunction> {
  const written = node.type === 'Identifier' ? declared.get(node.name) : node
  if (written === undefined) return
  if (isFunction(written)) yield { path, node: written }
  else if (path.length < LONGEST_PATH) {
    for (const [name, member] of membersWritten(written)) yield* functionsBelow(member, [...path, name], declared)
  }
}

/** The members that an object, an array or a class itself is written with. */
export function* membersWritten(node: AnyNode): Generator<[string, AnyNode]> {
  if (node.type === 'ArrayExpression') {
    for (const [index, element] of node.elements.entries()) if (element) yield [String(index), element]
  } else if (node.type === 'ObjectExpression') {
    for (const property of node.properties) {
      if (property.type !== 'Property' || property.kind !== 'init' || property.computed) continue
      yield [nameOf(property.key), property.value]
    }
  } else if (node.type === 'ClassDeclaration' || node.type === 'ClassExpression') {
    for (const member of node.body.body) {
      const isPlain = member.type === 'PropertyDefinition' || (member.type === 'MethodDefinition' && member.kind === 'method')
      if (!isPlain || !member.static || member.computed || member.key.type === 'PrivateIdentifier') continue
      if (member.value) yield [nameOf(member.key), member.value]
    }
  }
}

/** The variables that statements declare. */
export function declarationsOf(statements: readonly AnyNode[]): Declarations {
  const declared: Declarations = new Map()
  for (const statement of statements) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    const isNamed = declaration?.type === 'FunctionDeclaration' || declaration?.type === 'ClassDeclaration'
    if (isNamed && declaration.id) declared.set(declaration.id.name, declaration)
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const { id, init } of declaration.declarations) {
      for (const name of namesBound(id)) declared.set(name, id.type === 'Identifier' ? (init ?? undefined) : undefined)
    }
  }
  return declared
}

/** The variables that a pattern gives values. */
export function namesBound(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name]
    case 'ObjectPattern':
      return pattern.properties.flatMap((member) => namesBound(member.type === 'Property' ? member.value : member.argument))
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? namesBound(element) : []))
    case 'AssignmentPattern':
      return namesBound(pattern.left)
    case 'RestElement':
      return namesBound(pattern.argument)
    default:
      return []
  }
}

/** Two spellings: a call of the runner's function, or a property defined on its export object. */
function registersExport(call: CallExpression): boolean {
  const target = call.arguments[0]
  const isDefine = target?.type === 'Identifier' && /^__vi(te_ssr)?_exports?__$/.test(target.name)
  return isDefine || (call.callee.type === 'Identifier' && call.callee.name === '__vite_ssr_exportName__')
}

/** Whether a node is a function, other than a class. */
export function isFunction(node: AnyNode): node is FunctionNode & AnyNode {
  return node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
}

/** A name as it is written: an identifier, or a string. */
export function nameOf(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name
  return node.type === 'Literal' ? String(node.value) : ''
}

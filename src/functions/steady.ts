import type { AnyNode, Pattern, Program } from 'acorn'
import { type Declarations, declarationsOf, isFunction, membersWritten, type ModuleExport, nameOf, namesBound } from './exports.ts'
import { childrenOf } from './parse.ts'

/**
 * Whether another process that imports a module finds the same function or class at a path: what is assigned to an export, or put
 * into an exported object, by a function that runs later, is found only here.
 *
 * `isIt` tells the node that the function was made from. Of CommonJS `exported` is empty.
 */
export function isSteadyPath(program: Program, exported: readonly ModuleExport[], path: readonly string[], isIt: (node: AnyNode) => boolean): boolean {
  const top = statementsOf(program)
  const [name = '', ...members] = path
  const last = members.at(-1)
  const entry = exported.find((each) => each.name === name)
  if (last === undefined) {
    if (exported.length === 0) return !isAssignedLater(top, name) && !isMemberSetLater(top, name)
    return entry?.local === undefined || !isAssignedLater(top, entry.local)
  }
  const declared = declarationsOf(top)
  const start = entry?.node ?? (entry?.local === undefined ? undefined : declared.get(entry.local))
  const written = members.reduce((holder, member) => memberOf(holder, member, declared), resolved(start, declared))
  if (written === undefined) return isPutThere(top, last, isIt)
  return isFunction(written) || isClass(written) ? isIt(written) : !isMemberSetLater(top, last)
}

/** The statements of a module's top level; a test runner has put them into a function. */
function statementsOf({ body }: Program): readonly AnyNode[] {
  const wrapper = body.map((statement) => (statement.type === 'ExpressionStatement' ? statement.expression : undefined)).find((node) => node?.type === 'ArrowFunctionExpression')
  if (body.length > 2 || wrapper?.type !== 'ArrowFunctionExpression' || wrapper.body.type !== 'BlockStatement') return body
  const [inner] = wrapper.body.body
  return inner?.type === 'BlockStatement' ? inner.body : wrapper.body.body
}

function memberOf(holder: AnyNode | undefined, name: string, declared: Declarations): AnyNode | undefined {
  if (holder === undefined) return undefined
  for (const [written, value] of membersWritten(holder)) if (written === name) return resolved(value, declared)
  return undefined
}

function resolved(node: AnyNode | undefined, declared: Declarations): AnyNode | undefined {
  return node?.type === 'Identifier' ? declared.get(node.name) : node
}

/** Whether the top level itself puts the function there: `tasks.add = function () {…}`. */
function isPutThere(top: readonly AnyNode[], name: string, isIt: (node: AnyNode) => boolean): boolean {
  const declared = declarationsOf(top)
  const isBelow = (node: AnyNode): boolean => {
    if (isFunction(node)) return false
    const value = resolved(valueGiven(node, name), declared)
    return (value !== undefined && isIt(value)) || childrenOf(node).some(isBelow)
  }
  return top.some(isBelow)
}

/** What a node says is the member of that name. */
function valueGiven(node: AnyNode, name: string): AnyNode | undefined {
  if (node.type === 'Property' && !node.computed && nameOf(node.key) === name) return node.value
  return node.type === 'AssignmentExpression' && isMemberNamed(node.left, name) ? node.right : undefined
}

/** Whether a function of the module, whenever it runs, assigns to a variable of the top level. */
function isAssignedLater(top: readonly AnyNode[], name: string): boolean {
  return isDoneLater(top, (node) => assignedPatterns(node).some((pattern) => namesBound(pattern).includes(name)), name)
}

/** The same for a member of that name, of whatever object. */
function isMemberSetLater(top: readonly AnyNode[], name: string): boolean {
  return isDoneLater(top, (node) => assignedPatterns(node).some((pattern) => isMemberNamed(pattern, name)), undefined)
}

/** `hiding`: a variable; functions with one of their own by that name mean that. */
function isDoneLater(top: readonly AnyNode[], does: (node: AnyNode) => boolean, hiding: string | undefined): boolean {
  const isBelow = (node: AnyNode, inFunction: boolean): boolean => {
    const isInside = inFunction || isFunction(node)
    if (hiding !== undefined && isFunction(node) && declares(node, hiding)) return false
    return (isInside && does(node)) || childrenOf(node).some((child) => isBelow(child, isInside))
  }
  return top.some((node) => isBelow(node, false))
}

function declares(fn: AnyNode & { readonly params: readonly Pattern[]; readonly body: AnyNode }, name: string): boolean {
  const statements = fn.body.type === 'BlockStatement' ? fn.body.body : []
  return fn.params.some((pattern) => namesBound(pattern).includes(name)) || declarationsOf(statements).has(name)
}

function assignedPatterns(node: AnyNode): readonly Pattern[] {
  switch (node.type) {
    case 'AssignmentExpression':
      return [node.left]
    case 'UpdateExpression':
      return [node.argument as Pattern]
    case 'ForOfStatement':
    case 'ForInStatement':
      return node.left.type === 'VariableDeclaration' ? [] : [node.left]
    default:
      return []
  }
}

function isMemberNamed(node: AnyNode, name: string): boolean {
  if (node.type !== 'MemberExpression') return false
  return node.computed ? node.property.type !== 'Literal' || String(node.property.value) === name : nameOf(node.property) === name
}

function isClass(node: AnyNode): boolean {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

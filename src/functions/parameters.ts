import type { Expression, Function as FunctionNode, Pattern } from 'acorn'
import { nearestNames } from './nearest.ts'
import { parseExpression } from './parse.ts'

/** What a function says about the arguments it takes. */
export interface ParameterList {
  readonly parameters: readonly Parameter[]
  /** True when it ends with `...rest`. */
  readonly rest: boolean
}

/** One parameter. */
export interface Parameter {
  /** Undefined for a destructured one, and where the function's source cannot be read. */
  readonly name: string | undefined
  readonly hasDefault: boolean
}

const lists = new WeakMap<Function, ParameterList>()

/** A function's parameters, read from its source. A native or bound function has unnamed ones. */
export function parameterNames(fn: Function): ParameterList {
  const known = lists.get(fn)
  if (known !== undefined) return known
  const node = parseFunction(Function.prototype.toString.call(fn))
  const list = node === undefined ? unreadable(fn) : listOf(node)
  lists.set(fn, list)
  return list
}

/**
 * Puts positional and keyword arguments together by Python's rules.
 *
 * `declared` names the parameters of a function whose own names are of no use, such as minified code.
 * Parameters after the last one given are left out, so that defaults and optional ones work as they do in
 * any call; so is one in between that has a default.
 * @throws TypeError for an unknown keyword, an argument given twice, and one missing before a keyword.
 */
export function bindArguments(
  fn: Function,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  declared?: readonly string[],
): unknown[] {
  const keywords = Object.keys(kwargs)
  if (keywords.length === 0) return [...args]
  const { parameters } = parameterNames(fn)
  const names = declared ?? parameters.map((parameter) => parameter.name)
  const call = `${fn.name || 'The function'}()`

  const bound = [...args]
  const given = new Set(args.keys())
  for (const keyword of keywords) {
    const position = names.indexOf(keyword)
    if (position === -1) throw new TypeError(unexpected(call, keyword, names))
    if (given.has(position)) throw new TypeError(multiple(call, keyword))
    given.add(position)
    bound[position] = kwargs[keyword]
  }
  for (let position = 0; position < bound.length; position++) {
    if (given.has(position)) continue
    if (!parameters[position]?.hasDefault) throw new TypeError(missing(call, names[position], position))
    bound[position] = undefined
  }
  return bound
}

/** Whether a value was written as a method of a class or an object. */
export function isMethod(value: unknown): boolean {
  if (typeof value !== 'function') return false
  const source = Function.prototype.toString.call(value)
  return parseExpression(source) === undefined && parseMember(source) !== undefined
}

function parseFunction(source: string): FunctionNode | undefined {
  const expression = parseExpression(source) ?? parseMember(source)
  if (expression?.type === 'FunctionExpression' || expression?.type === 'ArrowFunctionExpression') return expression
  const member = expression?.type === 'ClassExpression' ? expression.body.body[0] : undefined
  return member?.type === 'MethodDefinition' ? member.value : undefined
}

/** A method is only a method inside a class; everything else is an expression. */
function parseMember(source: string): Expression | undefined {
  return parseExpression(`class { ${source} }`)
}

function listOf(node: FunctionNode): ParameterList {
  const rest = node.params.at(-1)?.type === 'RestElement'
  return { parameters: node.params.slice(0, rest ? -1 : undefined).map(parameterOf), rest }
}

function parameterOf(pattern: Pattern): Parameter {
  const hasDefault = pattern.type === 'AssignmentPattern'
  const target = hasDefault ? pattern.left : pattern
  return { name: target.type === 'Identifier' ? target.name : undefined, hasDefault }
}

function unreadable(fn: Function): ParameterList {
  return { parameters: Array.from({ length: fn.length }, () => ({ name: undefined, hasDefault: false })), rest: false }
}

function unexpected(call: string, keyword: string, names: readonly (string | undefined)[]): string {
  const known = names.filter((name) => name !== undefined)
  const [near] = nearestNames(keyword, known)
  const advice =
    known.length === 0
      ? 'It has no parameters that can be named: pass arguments by position, or declare their names with `params`.'
      : `${near === undefined ? '' : `Did you mean '${near}'? `}It takes ${known.map((name) => `'${name}'`).join(', ')}.`
  return `${call} got an unexpected keyword argument '${keyword}'. ${advice}`
}

function multiple(call: string, keyword: string): string {
  return `${call} got multiple values for argument '${keyword}'. Pass it by position or by keyword, not both.`
}

function missing(call: string, name: string | undefined, position: number): string {
  const which = name === undefined ? `number ${position + 1}` : `'${name}'`
  return `${call} is missing the argument ${which}, and a later one was given. Pass it, as undefined if it is optional.`
}

import type { AnyNode, Class, Expression, Function as FunctionNode } from 'acorn'
import { parseExpression } from './parse.ts'

/** A function's own text, as an expression that makes it. */
export interface FunctionSource {
  readonly text: string
  /** The function within {@link text}. */
  readonly node: FunctionNode | Class
  /** How far into what `toString` gives, and into {@link text}, the part begins that is the same in both. */
  readonly from: { readonly given: number; readonly text: number }
  readonly isMethod: boolean
}

/** Reads what `Function.prototype.toString` gives; undefined for what is no function by itself, such as a mention of `new.target`. */
export function readFunction(given: string): FunctionSource | undefined {
  const expression = parseExpression(given)
  if (isFunctionOrClass(expression)) return { text: given, node: expression, from: { given: 0, text: 0 }, isMethod: false }
  for (const head of ['{ ', 'class { ']) {
    const method = methodOf(parseExpression(`${head}${given} }`))
    if (method !== undefined) return asMethod(given, method, method.start - head.length)
  }
  return undefined
}

/** A method is one only inside an object or a class; under any name, since its own may be computed or private. */
function asMethod(given: string, { async, generator }: FunctionNode, start: number): FunctionSource | undefined {
  const head = `({ ${async ? 'async ' : ''}${generator ? '*' : ''}_`
  return withText({ from: { given: start, text: head.length }, isMethod: true }, `${head}${given.slice(start)} })._`)
}

/** The same source laid out in another way. */
export function withText(source: Pick<FunctionSource, 'from' | 'isMethod'>, text: string): FunctionSource | undefined {
  const expression = parseExpression(text)
  const node = expression?.type === 'MemberExpression' ? methodOf(expression.object) : isFunctionOrClass(expression) ? expression : undefined
  return node && { text, node, from: source.from, isMethod: source.isMethod }
}

function methodOf(holder: AnyNode | undefined): FunctionNode | undefined {
  const [member] = holder?.type === 'ObjectExpression' ? holder.properties : holder?.type === 'ClassExpression' ? holder.body.body : []
  const isMethod = (member?.type === 'Property' && (member.method || member.kind !== 'init')) || member?.type === 'MethodDefinition'
  return isMethod && member.value?.type === 'FunctionExpression' ? member.value : undefined
}

function isFunctionOrClass(node: Expression | undefined): node is Expression & (FunctionNode | Class) {
  return node?.type === 'FunctionExpression' || node?.type === 'ArrowFunctionExpression' || node?.type === 'ClassExpression'
}

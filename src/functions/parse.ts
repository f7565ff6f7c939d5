// The default export: a Node without the function is to get as far as being told that it is too old.
import nodeModule from 'node:module'
import type { AnyNode, Expression, Options, Program, Token } from 'acorn'
import { parse, parseExpressionAt } from 'acorn'
import { quietly } from '../internal/quietly.ts'

/** What a function may mention once it is out of its surroundings: their `super`, private names and `import.meta`. */
const OUT_OF_PLACE: Options = { ecmaVersion: 'latest', allowSuperOutsideMethod: true, checkPrivateFields: false, allowImportExportEverywhere: true }

/** Parses a module or a CommonJS file whose types are stripped; undefined when it is neither. */
export function parseScript(source: string): Program | undefined {
  for (const sourceType of ['module', 'commonjs'] as const) {
    try {
      return parse(source, { ecmaVersion: 'latest', sourceType, allowHashBang: true })
    } catch {
      // The other kind is tried.
    }
  }
  return undefined
}

/** Parses a file as it is on disk. `source` is its text with types blanked out, so positions stay those of the file. */
export function parseFile(text: string): { readonly program: Program; readonly source: string } | undefined {
  const plain = parseScript(text)
  if (plain !== undefined) return { program: plain, source: text }
  try {
    const source = quietly(() => nodeModule.stripTypeScriptTypes(text))
    const program = parseScript(source)
    return program && { program, source }
  } catch {
    return undefined
  }
}

/** Parses one expression; undefined when it is none. */
export function parseExpression(source: string): Expression | undefined {
  try {
    const expression = parseExpressionAt(source, 0, OUT_OF_PLACE)
    return expression.end === source.length ? expression : undefined
  } catch {
    return undefined
  }
}

/** The tokens of an expression that {@link parseExpression} has parsed. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  parseExpressionAt(source, 0, { ...OUT_OF_PLACE, onToken: tokens })
  return tokens.filter(({ end }) => end <= source.length && end > 0).filter(({ type }) => type.label !== 'eof')
}

/** Every node below and including `node`, outer ones first. */
export function* nodesIn(node: AnyNode): Generator<AnyNode> {
  yield node
  for (const child of childrenOf(node)) yield* nodesIn(child)
}

/** The nodes directly below `node`. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return (Object.values(node) as unknown[]).flat().filter(isNode)
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

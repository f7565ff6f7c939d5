import { DecodeError } from '../errors.ts'
import { resolveImport } from '../functions/import-binding.ts'
import { resolveReference } from '../functions/resolve.ts'
import { isTooDeep } from '../protocol/json-depth.ts'
import { malformed } from '../protocol/malformed.ts'
import { GraphBuilder } from './build.ts'
import { type CheckOptions, checkDocument } from './check.ts'
import type { WireNode } from './document.ts'
import { buildOrder } from './order.ts'

/** What may be read, and where what it names is found. */
export interface ReadOptions extends CheckOptions {
  readonly root: string
  /** Whether the document comes from a verified message, so that it may import and compile. */
  readonly allowCode: boolean
  /** Packages whose exports it may refer to. Default none. */
  readonly packages?: readonly string[] | 'any' | undefined
}

/** Deepest nesting of the text, plain sub-trees included. */
const DEEPEST_READ = 1_000

/**
 * Reads a graph from its text, as {@link readGraph} does. The size of the text is for the caller to limit.
 * @throws {@link DecodeError} also when the text is not JSON or is nested deeper than 1,000 levels.
 */
export async function readGraphText(text: string, options: ReadOptions): Promise<unknown> {
  if (isTooDeep(text, DEEPEST_READ)) throw new DecodeError(`Cannot read the graph: it is nested deeper than ${DEEPEST_READ} levels.`)
  return await readGraph(parse(text), options)
}

/**
 * Makes the values of a graph again.
 *
 * The whole document is checked before anything is imported or run. No constructor and no setter is called. As with any
 * promise, a value that has a method `then` would be waited for: keep it in an array.
 * @param document what `JSON.parse` gives; plain sub-trees in it become part of the value as they are.
 * @throws {@link DecodeError} when it is no graph, or holds code and none is allowed.
 * @throws UnreachableFunctionError when it refers to what this process does not have.
 */
export async function readGraph(document: unknown, options: ReadOptions): Promise<unknown> {
  const { nodes, root } = checkDocument(document, options)
  const { order, typeCycle } = buildOrder(nodes, [root])
  if (typeCycle !== undefined) throw new DecodeError(`Cannot read the graph at n[${typeCycle}]: a value of a registered type holds itself.`)
  const builder = new GraphBuilder(nodes, options)
  const resolving = order.map((id) => resolveNode(id, nodes[id], builder, options)).filter((promise) => promise !== undefined)
  if (resolving.length > 0) await Promise.all(resolving)
  return await builder.build(order, root)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('the graph', 'a JSON text', text, { cause })
  }
}

/** Only what has to be imported makes a promise. */
function resolveNode(id: number, node: WireNode | undefined, builder: GraphBuilder, options: ReadOptions): Promise<void> | undefined {
  switch (node?.t) {
    case 'm':
      return resolveReference({ t: 'm', m: node.m, p: node.p }, options.root, { packages: options.packages, isCaptured: true })
        .then((value) => builder.resolved(id, value))
    case 'y':
      return resolveImport({ specifier: node.s, path: node.p, origin: node.u }, options.root)
        .then((value) => builder.resolved(id, value))
    default:
      return undefined
  }
}

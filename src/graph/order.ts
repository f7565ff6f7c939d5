import type { WireFields, WireNode, WireValue } from './document.ts'

/** The nodes that a value needs, each after those that it holds as far as circles allow. */
export interface BuildOrder {
  readonly order: readonly number[]
  /** A node of a registered type that holds itself. */
  readonly typeCycle: number | undefined
}

/** Orders the nodes that can be reached from `starts`. */
export function buildOrder(nodes: readonly WireNode[], starts: readonly WireValue[]): BuildOrder {
  const walk = new Walk(nodes)
  for (const start of starts) {
    const id = referred(start)
    if (id !== undefined) walk.visit(id)
  }
  return walk
}

/** The id of a node of a registered type that holds itself, if there is one. */
export function cycleThroughType(nodes: readonly WireNode[]): number | undefined {
  return buildOrder(nodes, nodes.map((_, id) => ['r', id])).typeCycle
}

/** The id that a written value refers to. */
export function referred(value: WireValue | undefined): number | undefined {
  return typeof value === 'object' && value !== null && value[0] === 'r' ? (value[1] as number) : undefined
}

/** Tarjan's strongly connected components, without recursion: a graph may be deeper than any stack. */
class Walk implements BuildOrder {
  readonly order: number[] = []
  typeCycle: number | undefined
  readonly #nodes: readonly WireNode[]
  /** By node: 0 when it was not reached yet, else when it was. */
  readonly #reached: Uint32Array
  readonly #lowest: Uint32Array
  readonly #pending: Uint8Array
  readonly #component: number[] = []
  #clock = 0

  constructor(nodes: readonly WireNode[]) {
    this.#nodes = nodes
    this.#reached = new Uint32Array(nodes.length)
    this.#lowest = new Uint32Array(nodes.length)
    this.#pending = new Uint8Array(nodes.length)
  }

  visit(start: number): void {
    if (this.#reached[start] !== 0) return
    const path = [this.#enter(start)]
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const child = step.children[step.next++]
      if (child === undefined) {
        path.pop()
        this.#leave(step.id)
        const holder = path.at(-1)
        if (holder !== undefined) this.#lower(holder.id, this.#lowest[step.id] ?? 0)
      } else if (this.#reached[child] === 0) path.push(this.#enter(child))
      else if (this.#pending[child] === 1) {
        this.#lower(step.id, this.#reached[child] ?? 0)
        if (child === step.id) this.#note(child)
      }
    }
  }

  #enter(id: number): { readonly id: number; readonly children: readonly number[]; next: number } {
    this.#reached[id] = ++this.#clock
    this.#lowest[id] = this.#clock
    this.#pending[id] = 1
    this.#component.push(id)
    return { id, children: childrenOf(this.#nodes[id]), next: 0 }
  }

  #leave(id: number): void {
    this.order.push(id)
    if (this.#lowest[id] !== this.#reached[id]) return
    const members = this.#component.splice(this.#component.lastIndexOf(id))
    for (const member of members) {
      this.#pending[member] = 0
      if (members.length > 1) this.#note(member)
    }
  }

  #lower(id: number, time: number): void {
    if (time < (this.#lowest[id] ?? 0)) this.#lowest[id] = time
  }

  #note(id: number): void {
    if (this.#nodes[id]?.t === 'T') this.typeCycle = id
  }
}

/** The nodes that a node refers to. A superclass comes first: it has to be made before. */
export function childrenOf(node: WireNode | undefined): number[] {
  const found: number[] = []
  for (const value of valuesOf(node)) {
    const id = referred(value)
    if (id !== undefined) found.push(id)
  }
  return found
}

function valuesOf(node: WireNode | undefined): readonly WireValue[] {
  switch (node?.t) {
    case 'a':
      return node.w === undefined ? node.v : [...node.v, ...node.w]
    case 'o':
      return node.w ?? []
    case 'c':
    case 'M':
    case 'S':
      return node.v
    case 'E':
    case 'i':
      return [node.c, ...(node.w ?? [])]
    case 'f':
      return [...(node.x === undefined ? [] : [node.x]), ...node.w, ...fieldValues(node.a), ...fieldValues(node.q)]
    case 'B':
      return [node.f, node.x, ...node.a]
    case 'T':
      return node.c === undefined ? [node.v] : [node.v, node.c]
    default:
      return []
  }
}

function fieldValues(fields: WireFields | undefined): readonly WireValue[] {
  return fields?.w ?? []
}

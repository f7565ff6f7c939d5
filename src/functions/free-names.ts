import type { AnyNode, Class, Function as FunctionNode } from 'acorn'
import { type Tie, walkFunction } from './scope-walk.ts'
import { type Mention, scopeOf } from './scopes.ts'

/** A variable that a function uses and does not declare. Offsets are into the source that was parsed. */
export interface FreeName {
  readonly name: string
  /** Where it is mentioned first. */
  readonly start: number
  /** Where the function assigns to it. */
  readonly assignedAt: number | undefined
  /** True when all that is asked of it is `typeof name`. */
  readonly onlyTypeof: boolean
  /** The members by which alone it is used, as `name.member` or `const { member } = name`; undefined when it is used as a whole. */
  readonly members: readonly string[] | undefined
}

/** What a function takes from its surroundings. */
export interface Surroundings {
  readonly names: readonly FreeName[]
  /** What cannot be taken along. */
  readonly ties: readonly Tie[]
  /** Where `import.meta` stands. */
  readonly metas: readonly AnyNode[]
  /** The calls `import(…)`. */
  readonly imports: readonly AnyNode[]
  /** True when it mentions the `this` it is called with. */
  readonly usesOwnThis: boolean
  /** True when it assigns to its own name, as functions do that replace themselves at their first call. */
  readonly replacesItself: boolean
}

/** Finds what a function or class takes from its surroundings, its superclass apart. `isStrict`: whether it is in strict code. */
export function surroundingsOf(root: FunctionNode | Class, isStrict: boolean): Surroundings {
  const { mentions, evals, ties, ...others } = walkFunction(root, isStrict)
  const byName = Map.groupBy(mentions.filter(isFree), ({ name }) => name)
  const ofArguments = byName.get('arguments')?.slice(0, 1) ?? []
  byName.delete('arguments')
  const mentioned = [...evals.filter(isFree), ...ofArguments].map(({ name, start }) => ({ what: name, start }))
  return {
    ...others,
    names: [...byName].map(([name, found]) => freeName(name, found)),
    ties: [...ties, ...mentioned].toSorted((a, b) => a.start - b.start),
  }
}

function freeName(name: string, mentions: readonly Mention[]): FreeName {
  const uses = mentions.map(({ use }) => use)
  const lists = uses.filter((use) => typeof use !== 'string')
  return {
    name,
    start: Math.min(...mentions.map(({ start }) => start)),
    assignedAt: mentions.find(({ use }) => use === 'write')?.start,
    onlyTypeof: uses.every((use) => use === 'typeof'),
    members: lists.length === uses.length ? [...new Set(lists.flat())] : undefined,
  }
}

function isFree(mention: Mention): boolean {
  return scopeOf(mention) === undefined
}

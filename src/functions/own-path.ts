import { types } from 'node:util'

/** Names that a path never contains: they lead out of what a module's author exported. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['constructor', 'prototype', '__proto__'])

/** How far below an export a function is looked for. */
export const LONGEST_PATH = 4

/** Bounds the search below an export that holds a lot, such as a cache or an application object. */
const MOST_VALUES = 20_000
const LONGEST_ARRAY = 1_000

/** Something to search, and the path that leads to it. */
export interface Candidate {
  readonly path: readonly string[]
  readonly value: unknown
}

/**
 * The shortest path from `starts` to the very object `wanted`, over own data properties.
 *
 * Breadth first, so that an export of its own wins over a member of another. Calls no getter.
 */
export function findOwnPath(wanted: object, starts: Iterable<Candidate>, longest: number = LONGEST_PATH): readonly string[] | undefined {
  const seen = new Set<unknown>()
  let values = 0
  let level = [...starts]
  while (level.length > 0) {
    const hit = level.find((candidate) => candidate.value === wanted)
    if (hit !== undefined) return hit.path
    const next: Candidate[] = []
    for (const candidate of level) {
      if (candidate.path.length >= longest || !isSearchable(candidate.value) || seen.has(candidate.value)) continue
      seen.add(candidate.value)
      for (const member of membersOf(candidate.value)) {
        if (++values > MOST_VALUES) break
        next.push({ path: [...candidate.path, member.name], value: member.value })
      }
    }
    level = next
  }
  return undefined
}

/** The own data properties of an object under string names, forbidden ones left out. */
export function* membersOf(holder: object): Generator<{ name: string; value: unknown }> {
  for (const name of Object.getOwnPropertyNames(holder)) {
    if (FORBIDDEN_NAMES.has(name)) continue
    const descriptor = ownProperty(holder, name)
    if (descriptor !== undefined && 'value' in descriptor) yield { name, value: descriptor.value }
  }
}

/** The own property's descriptor; undefined also for a module's export that is not initialised yet. */
export function ownProperty(holder: object, name: string | symbol): PropertyDescriptor | undefined {
  try {
    return Object.getOwnPropertyDescriptor(holder, name)
  } catch {
    return undefined
  }
}

/** Whether something can have properties. */
export function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

function isSearchable(value: unknown): value is object {
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return false
  if (types.isProxy(value) || ArrayBuffer.isView(value)) return false
  return !Array.isArray(value) || value.length <= LONGEST_ARRAY
}

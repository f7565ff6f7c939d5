/** Seeded mutations of JSON documents, for feeding readers with what nobody ever wrote. */

/** Random numbers that the seed decides. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to, not including, `below`. */
  roll(below: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }

  pick<T>(values: readonly [T, ...T[]]): T
  pick<T>(values: readonly T[]): T | undefined
  pick<T>(values: readonly T[]): T | undefined {
    return values[this.roll(values.length)]
  }
}

const TAGS = ['l', 'r', 'u', 'f', 'n', 's', 'w', '__proto__', 'g'] as const
const KINDS = ['l', 'a', 'c', 'o', 'M', 'S', 'D', 'X', 'U', 'Q', 'b', 'E', 'i', 'm', 'y', 'f', 'B', 'T', 'g', 'constructor'] as const
const SCALARS: readonly [unknown, ...unknown[]] = [
  null, true, 0, -1, 1, 2, 3, 1.5, 1e308, 4294967295, 2 ** 31, '', 'x', '__proto__', 'constructor', 'prototype', 'length', 'toString', 'NaN', 'AAAA', 'Error', 'money',
  'Uint8Array', 'BigInt64Array', '(a+)+$', 'gimsuy', 'https://example.com', 'node:child_process', './src/errors.ts', {}, [], [[]], ['u'], ['r', 0], ['r', 1], ['r', 1e9], ['r', -1], ['n', '9'.repeat(50)], ['l', { a: 1 }],
]
const FIELDS = ['t', 'v', 'k', 'w', 'h', 'e', 'c', 'm', 's', 'p', 'u', 'x', 'a', 'q', 'f', 'i', 'n', 'z', 'r', 'j', '__proto__'] as const

/** A copy of the document with a few changes: parts swapped, removed, doubled, of other kinds, out of range. */
export function mutate(document: unknown, dice: Dice): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(document))
  for (let count = 1 + dice.roll(3); count > 0; count--) mutateOnce(partsOf(copy), dice)
  return copy
}

/** Random JSON that looks somewhat like a document. */
export function randomDocument(dice: Dice): unknown {
  const node = (): unknown => ({ t: dice.pick(KINDS), [dice.pick(FIELDS)]: randomValue(dice, 3), [dice.pick(FIELDS)]: randomValue(dice, 3) })
  return { v: 1, n: Array.from({ length: dice.roll(5) }, node), r: randomValue(dice, 2) }
}

/** The text with a few characters changed. */
export function mutateText(text: string, dice: Dice): string {
  let changed = text
  for (let count = 1 + dice.roll(4); count > 0; count--) {
    const at = dice.roll(changed.length + 1)
    const inserted = dice.roll(2) === 0 ? String.fromCharCode(dice.roll(128)) : dice.pick(['[', ']', '{', '}', '"', ',', '-', '9', '\\', 'e', '\ud800'])
    changed = changed.slice(0, at) + inserted + changed.slice(at + dice.roll(3))
  }
  return changed
}

function randomValue(dice: Dice, depth: number): unknown {
  if (depth === 0 || dice.roll(3) === 0) return dice.pick(SCALARS)
  if (dice.roll(2) === 0) return [dice.pick(TAGS), randomValue(dice, depth - 1)]
  return Array.from({ length: dice.roll(4) }, () => randomValue(dice, depth - 1))
}

type Part = unknown[] | Record<string, unknown>

/** Every array and object of a document. */
function partsOf(value: unknown): Part[] {
  if (typeof value !== 'object' || value === null) return []
  return [value as Part, ...Object.values(value).flatMap(partsOf)]
}

function mutateOnce(parts: readonly Part[], dice: Dice): void {
  const part = dice.pick(parts)
  const other = dice.pick(parts)
  if (part === undefined || other === undefined) return
  const key = dice.pick(Object.keys(part)) ?? dice.pick(FIELDS)
  const value = dice.roll(3) === 0 ? Object.values(other)[0] : dice.pick(SCALARS)
  switch (dice.roll(6)) {
    case 0:
      Reflect.deleteProperty(part, key)
      break
    case 1:
      if (Array.isArray(part)) part.push(structuredClone(value))
      else define(part, dice.pick(FIELDS), value)
      break
    case 2:
      if (Array.isArray(part)) part.reverse()
      else define(part, 't', dice.pick(KINDS))
      break
    case 3:
      if (Array.isArray(part)) part[0] = dice.pick(TAGS)
      else define(part, key, value)
      break
    default:
      define(part, key, value)
  }
}

/** A copy of the value, so that no circle is made. */
function define(part: Part, key: string, value: unknown): void {
  if (Array.isArray(part) && !/^\d+$/.test(key)) return
  Object.defineProperty(part, key, { value: structuredClone(value), enumerable: true, configurable: true, writable: true })
}

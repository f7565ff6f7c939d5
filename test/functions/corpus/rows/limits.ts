import type { Row } from '../row.ts'

class Counter {
  static #count = 0
  static bump(): number {
    Counter.#count += 1
    return Counter.#count
  }
}

const seen: string[] = []
class Noted {
  static {
    seen.push('evaluated')
  }
  static n = 1
}

class Patched {
  hi(): string {
    return 'as written'
  }
}
Patched.prototype.hi = () => 'as patched'

class Tagged {}
Object.assign(Tagged, { [Symbol.for('tag')]: 1 })

class Swapped {
  one(): number {
    return 1
  }
  two(): number {
    return 2
  }
}
Swapped.prototype.two = Swapped.prototype.one

class Hidden {}
Object.defineProperty(Hidden.prototype, 'late', { value: 1 })

class Trimmed {
  static n?: number = 1
}
delete Trimmed.n

const frozen = Object.freeze({ a: 1 })
const tagged = Object.setPrototypeOf(() => 1, { tag: 'from its prototype' }) as { readonly tag?: string }

/** What gives something else in a worker than here, and is documented to: a function by value is made anew there. */
export const rows: readonly Row[] = [
  { title: 'a private static field', make: () => { Counter.bump(); return () => Counter.bump() }, refused: /#count/, here: { gives: 2 } },
  { title: 'a static block runs once more, with the copies', make: () => () => [Noted.n, seen.length], gives: [1, 2], here: { gives: [1, 1] } },
  { title: 'a method that was replaced on the prototype of a class', make: () => () => new Patched().hi(), refused: /\bPatched\b.*\bhi\b/s, here: { gives: 'as patched' } },
  { title: 'a class with a member under a symbol that was added', make: () => () => Reflect.get(Tagged, Symbol.for('tag')), refused: /\bTagged\b.*\btag\b/s, here: { gives: 1 } },
  { title: 'a class with one of its methods in the place of another', make: () => () => new Swapped().two(), refused: /\bSwapped\b.*\btwo\b/s, here: { gives: 1 } },
  { title: 'a class with a hidden member on its prototype', make: () => () => Reflect.get(new Hidden(), 'late'), refused: /\bHidden\b.*\blate\b/s, here: { gives: 1 } },
  { title: 'a static field that was deleted', make: () => () => Trimmed.n ?? 'deleted', refused: /\bTrimmed\b.*\bn\b/s, here: { gives: 'deleted' } },
  { title: 'a frozen object is not frozen', make: () => () => Object.isFrozen(frozen), gives: false, here: { gives: true } },
  { title: 'another prototype of a function', make: () => () => tagged.tag ?? 'lost', refused: /\btagged\d*\b.*prototype/s, here: { gives: 'from its prototype' } },
  { title: 'the environment of the worker is its own', make: () => { process.env['CORPUS_LATE'] = 'here'; return () => process.env['CORPUS_LATE'] ?? 'not there' }, gives: 'not there', here: { gives: 'here' } },
  { title: 'the started script of the worker is its own', make: () => () => process.argv[1]?.includes('run.') === true, gives: false, here: { gives: true } },
]

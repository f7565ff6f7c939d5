import type { Row } from '../row.ts'

class OutOfStock extends Error {
  readonly sku: string
  constructor(sku: string, options?: ErrorOptions) {
    super(`No ${sku} left`, options)
    this.name = 'OutOfStock'
    this.sku = sku
  }
}

interface Order {
  readonly sku: string
  readonly count?: number
}

// Types above and between move what a compiler writes to other lines.
function check(order: Order): never {
  type Ignored = { readonly a: 1 }
  const ignored: Ignored | undefined = undefined
  throw new OutOfStock(order.sku, { cause: new RangeError(`count ${order.count ?? 0}`, ignored) }) // line: check
}

const relay = (order: Order): void => {
  interface Local {
    readonly a: number
  }
  const local: Local = { a: 1 }
  if (local.a === 1) check(order) // line: relay
}

export const rows: readonly Row[] = [
  {
    title: 'an error of the language',
    make: () => () => {
      throw new RangeError('too far') // line: range
    },
    throws: { name: 'RangeError', message: /^too far$/, line: 'range' },
  },
  {
    title: 'an error several lines below the types',
    make: () => (order: Order) => {
      interface Inner extends Order {
        readonly more: string
      }

      const inner: Inner = { ...order, more: 'more' }

      // oxlint-disable-next-line typescript/no-unused-expressions -- a statement of its own
      inner.more
      throw new TypeError(inner.more) // line: below
    },
    args: [{ sku: 'a' }],
    throws: { name: 'TypeError', message: /^more$/, line: 'below' },
  },
  { title: 'an error of a class of the program', make: () => check, args: [{ sku: 'tea', count: 2 }], throws: { name: 'OutOfStock', message: /^No tea left$/, line: 'check', cause: { name: 'RangeError', message: /^count 2$/ } } },
  { title: 'an error in a captured function, seen from the outer one', make: () => relay, args: [{ sku: 'tea' }], throws: { name: 'OutOfStock', message: /^No tea left$/, line: 'relay' } },
  { title: 'an error in a captured function, where it was thrown', make: () => async (order: Order) => { await Promise.resolve(); relay(order) }, args: [{ sku: 'ale' }], throws: { name: 'OutOfStock', message: /^No ale left$/, line: 'check' } },
  { title: 'a promise that is rejected', make: () => () => Promise.reject(new SyntaxError('rejected')), throws: { name: 'SyntaxError', message: /^rejected$/ } },
  { title: 'a name that exists nowhere', make: () => () => missingName, throws: { name: 'ReferenceError', message: /missingName is not defined/ } },
  { title: 'a call of something that is no function', make: () => { const o: { run?: () => void } = {}; return () => (o.run as () => void)() }, throws: { name: 'TypeError', message: /not a function/ } },
  { title: 'an assignment to a frozen object, strict as where it was written', make: () => (x: number) => { const o: { a?: number } = Object.freeze({}); o.a = x; return 'went on' }, args: [1], throws: { name: 'TypeError', message: /not extensible/ }, differs: { 'esbuild CommonJS': { gives: 'went on', why: 'esbuild writes no "use strict" into CommonJS' } } },
  { title: 'something thrown that is no error', make: () => () => { throw 'just text' as unknown as Error }, throws: { name: 'Error', message: /just text/ } },
]

declare const missingName: unknown

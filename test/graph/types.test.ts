import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { readGraphText } from '../../src/graph/read.ts'
import { joinTypes, NO_TYPES, TypeRegistry } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'
import { Gold, Money, PaymentError } from './fixtures/shapes.ts'

const root = resolve(import.meta.dirname, '../..')

function registry(): TypeRegistry {
  const types = new TypeRegistry()
  types.register(Money, { name: 'money', toWire: (money) => money.cents, fromWire: (cents) => new Money(cents) })
  return types
}

function write(value: unknown, types: TypeRegistry): string {
  return writeGraph(value, { root, path: 'args', types, classesByValue: true }).text
}

async function read(text: string, types: TypeRegistry, allowCode = true): Promise<unknown> {
  return await readGraphText(text, { root, types, allowCode })
}

test('a value of a registered type travels as what toWire makes of it, once however often it is held', async () => {
  const types = registry()
  const money = new Money(5)

  const [first, { second }] = (await read(write([money, { second: money }], types), types)) as [Money, { second: Money }]

  expect(first).toBeInstanceOf(Money)
  expect(first.cents).toBe(5)
  expect(second).toBe(first)
})

test('fromWire may be async, and gets what it is made of complete', async () => {
  const types = registry()
  class Wallet {
    readonly content: ReadonlyMap<string, Money>
    constructor(content: ReadonlyMap<string, Money>) {
      this.content = content
    }
  }
  types.register(Wallet, {
    name: 'wallet',
    toWire: (wallet) => ({ content: wallet.content }),
    fromWire: async ({ content }) => {
      expect(content.get('left')?.cents).toBe(7)
      return await Promise.resolve(new Wallet(content))
    },
  })

  const wallet = (await read(write(new Wallet(new Map([['left', new Money(7)]])), types), types)) as Wallet

  expect(wallet).toBeInstanceOf(Wallet)
  expect(wallet.content.get('left')).toBeInstanceOf(Money)
})

test('a function by value has the values of registered types that it captures', async () => {
  const types = registry()
  const price = new Money(3)
  const total = (count: number): number => count * price.cents

  const copy = (await read(write(total, types), types, true)) as typeof total

  expect(copy(4)).toBe(12)
})

test('a value of a registered type that holds itself is refused where it is', () => {
  const types = registry()
  class Knot {
    inner: unknown
  }
  types.register(Knot, { name: 'knot', toWire: ({ inner }) => ({ inner }), fromWire: () => new Knot() })
  const knot = new Knot()
  knot.inner = [knot]

  expect(() => write({ list: [1, knot] }, types)).toThrow(/^args\.list\[1\] is a value of a registered type that holds itself/)
})

test('a cycle beside a value of a registered type is none through it', async () => {
  const types = registry()
  const circle: unknown[] = [new Money(1)]
  circle.push(circle)

  const copy = (await read(write(circle, types), types)) as unknown[]

  expect(copy[1]).toBe(copy)
  expect(copy[0]).toBeInstanceOf(Money)
})

test('a value of a subclass is refused, since it would come back as its ancestor', () => {
  expect(() => write([new Gold(1)], registry())).toThrow(/^args\[0\] is an instance of the class Gold, which extends the registered type "money"/)
})

test('an unregistered subclass of a registered class without private members keeps its own class', async () => {
  const types = new TypeRegistry()
  types.register(PaymentError, { name: 'PaymentError' })
  const error = (await read(write([new PaymentError('declined', 3)], types), types)) as [PaymentError]

  expect(error[0]).toBeInstanceOf(PaymentError)
  expect(error[0].amount).toBe(3)
  expect(types.errors.get('PaymentError')?.prototype).toBe(PaymentError.prototype)
})

test('what toWire throws, and a promise, name the value', () => {
  const types = new TypeRegistry()
  types.register(Money, { name: 'money', toWire: () => Promise.reject(new Error('no')), fromWire: () => new Money(1) })

  expect(() => write({ a: new Money(1) }, types)).toThrow(/^args\.a is a value of the registered type "money", whose toWire failed: it gave a promise/)
})

test('what fromWire throws names the type', async () => {
  const types = new TypeRegistry()
  types.register(Money, {
    name: 'money',
    toWire: () => 1,
    fromWire: () => {
      throw new Error('no such row')
    },
  })

  await expect(read(write([new Money(1)], types), types)).rejects.toThrow('Cannot read a value of type "money": its fromWire failed: no such row')
})

test('a type that is not registered where it is read is named, with those that are', async () => {
  const text = write([new Money(1)], registry())

  await expect(read(text, NO_TYPES)).rejects.toThrow(/type "money": no such type is registered in this process \(known: none\)/)
})

test('registries are joined as they are when a value is read', async () => {
  const list: TypeRegistry[] = []
  const joined = joinTypes(() => list)
  const text = write([new Money(1)], registry())
  list.push(new TypeRegistry(), registry())

  const [money] = (await read(text, joined)) as [Money]

  expect(money).toBeInstanceOf(Money)
  expect(joined.names).toEqual(['money'])
})

test.each([
  ['no class', () => new TypeRegistry().register((() => 1) as never, { name: 'x' }), /Expected a class/],
  ['no name', () => new TypeRegistry().register(Money, { name: '' }), /Expected a name/],
  ['no codec', () => new TypeRegistry().register(Money, { name: 'money' }), /Expected toWire and fromWire/],
  ['a name of JavaScript', () => new TypeRegistry().register(PaymentError, { name: 'TypeError' }), /a meaning of its own/],
  ['a taken name', () => registry().register(PaymentError, { name: 'money' }), /registered for another class/],
  ['a taken class', () => registry().register(Money, { name: 'cash', toWire: String, fromWire: () => new Money(1) }), /registered already, as "money"/],
])('registering %s is refused', (_what, register, message) => {
  expect(register).toThrow(message)
  expect(register).toThrow(ImproperlyConfigured)
})

test('the same class may be described anew', () => {
  const types = registry()
  types.register(Money, { name: 'money', toWire: () => 1, fromWire: () => new Money(99) })

  expect(write([new Money(5)], types)).toContain('"v":1,')
})

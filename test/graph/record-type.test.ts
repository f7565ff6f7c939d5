import { expect, test } from 'vitest'

import { InvalidTaskError } from '../../src/errors.ts'
import { recordType } from '../../src/graph/record-type.ts'

const stored = new Map<string, string>()

/** The shape of a Mongoose model. */
class Person {
  static readonly modelName = 'Person'
  readonly _id: { toString(): string } | undefined
  name: string

  constructor(id: string | undefined, name: string) {
    this._id = id === undefined ? undefined : { toString: () => id }
    this.name = name
  }

  static async findById(id: string): Promise<Person | null> {
    const name = stored.get(id)
    return name === undefined ? null : new Person(id, name)
  }
}

/** The shape of an active record of TypeORM. */
class Invoice {
  readonly id: number | undefined
  readonly total: string

  constructor(id: number | undefined, total: string) {
    this.id = id
    this.total = total
  }

  static getRepository(): unknown {
    return { metadata: { getEntityIdMap: ({ id }: Invoice) => (id === undefined ? undefined : { id }) } }
  }

  static async findOneBy({ id }: { id: number }): Promise<Invoice | null> {
    const total = stored.get(String(id))
    return total === undefined ? null : new Invoice(id, total)
  }
}

test('a Mongoose document travels as its key and is read again', async () => {
  const { fromWire, name, toWire } = recordType(Person)
  const wire = toWire?.(new Person('5f', 'before'))
  stored.set('5f', 'after')

  expect(name).toBe('Person')
  expect(wire).toBe('5f')
  expect(await fromWire?.(wire)).toMatchObject({ name: 'after' })
})

test('an active record of TypeORM travels as its key and is read again', async () => {
  const { fromWire, name, toWire } = recordType(Invoice as never)
  const wire = toWire?.(new Invoice(7, '10') as never)
  stored.set('7', '12')

  expect(name).toBe('Invoice')
  expect(wire).toEqual({ id: 7 })
  expect(await fromWire?.(wire)).toEqual(new Invoice(7, '12'))
})

test('a record without a key is refused, and one that has gone is an error where it is read', async () => {
  const person = recordType(Person)
  const invoice = recordType(Invoice as never)

  expect(() => person.toWire?.(new Person(undefined, 'new'))).toThrow(/A Person without a key .* Save it first/)
  expect(() => invoice.toWire?.(new Invoice(undefined, '1') as never)).toThrow(InvalidTaskError)
  await expect(person.fromWire?.('gone')).rejects.toThrow(/The Person with the key "gone" is not in the database/)
})

test('any other class has to be described', () => {
  expect(() => recordType(Map)).toThrow(/Map is neither\. Describe it yourself/)
})

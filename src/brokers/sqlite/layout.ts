type Fields = Readonly<Record<string, unknown>>

/** The values of a layout's fields in its order, and whatever follows them by name. */
export type Packed = readonly [values: readonly unknown[], others?: Fields]

/**
 * Names of fields that nearly every message begins with, in their order.
 *
 * They are kept without their names, which would be half of what a short task takes in the database.
 */
export class Layout {
  readonly #names: readonly string[]
  readonly #blank: Fields

  constructor(names: readonly string[]) {
    this.#names = names
    this.#blank = Object.fromEntries(names.map((name) => [name, null]))
  }

  /** Plain data for JSON. Fields that do not begin with this layout stay as they are. */
  pack(fields: Fields): Packed | Fields {
    const names = this.#names
    const values: unknown[] = []
    const others: [string, unknown][] = []
    for (const name in fields) {
      const value = fields[name]
      if (values.length === names.length) others.push([name, value])
      else if (name === names[values.length] && value !== undefined) values.push(value)
      else return fields
    }
    if (values.length < names.length) return fields
    return others.length === 0 ? [values] : [values, Object.fromEntries(others)]
  }

  /** Undoes {@link pack}; undefined for what it never makes. */
  unpack(packed: unknown): Record<string, unknown> | undefined {
    if (isRecord(packed)) return packed
    if (!Array.isArray(packed)) return undefined
    const [values, others = {}] = packed as [unknown, unknown]
    if (!Array.isArray(values) || values.length !== this.#names.length || !isRecord(others)) return undefined
    const fields: Record<string, unknown> = { ...this.#blank, ...others }
    let index = 0
    for (const name of this.#names) fields[name] = values[index++]
    return fields
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

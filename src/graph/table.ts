import type { WireNode } from './document.ts'
import type { NodeWriter } from './node-writer.ts'

/** Fewer rows are not worth their own form. */
const FEWEST_ROWS = 8

type Table = Extract<WireNode, { readonly t: 'c' }>
type Row = Record<string, unknown>

/**
 * Writes an array of plain objects with the same keys as columns: half as long as rows, and quicker to write and to read.
 *
 * `rich`: the places, rising, of what is more than JSON. That travels beside the columns, as do rows with other keys.
 * Undefined when too few rows are alike.
 */
export function writeTable(values: readonly unknown[], rich: readonly number[], writer: NodeWriter): Table | undefined {
  const k = columnNames(values[values.findIndex((_, index) => index !== rich[index])])
  if (k === undefined) return undefined
  const x: number[] = []
  for (let index = 0, next = 0; index < values.length; index++) {
    const isRich = rich[next] === index
    if (isRich) next++
    if (isRich || !isRowOf(values[index], k)) x.push(index)
  }
  const rows = values.length - x.length
  if (rows < FEWEST_ROWS || rows < x.length) return undefined
  return { t: 'c', k, j: columnsOf(values, x, k.length), x, v: x.map((index) => writer.member(values[index], index)) }
}

/** The rows of a table, with null for what is to take the other places. */
export function readTable({ k, j, x }: Table): unknown[] {
  const blank = Object.fromEntries(k.map((key) => [key, null]))
  // A copy of a row is made quicker than one key after the other, and its keys are its own, so that no setter is called.
  const rows = (j[0] ?? []).map((): Row => ({ ...blank }))
  for (let column = 0; column < k.length; column++) fillColumn(rows, k[column] ?? '', j[column] ?? [])
  return x.length === 0 ? rows : withPlaces(rows, x)
}

/**
 * Whether a list names the columns of a table. Objects put keys that look like an index first, and assigning to `__proto__`
 * is no way to make a key. Of columns of the same name the last counts, as in JSON.
 */
export function areColumnNames(keys: unknown): keys is readonly string[] {
  if (!Array.isArray(keys) || keys.length === 0) return false
  // Holes count as well, which `every` would pass over.
  for (const key of keys as unknown[]) if (typeof key !== 'string' || key === '__proto__' || isDigit(key.charCodeAt(0))) return false
  return true
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function columnNames(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const keys = Object.keys(value)
  return areColumnNames(keys) ? keys : undefined
}

/** Whether a plain value is an object with just these keys in this order. */
function isRowOf(value: unknown, keys: readonly string[]): value is Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  let count = 0
  for (const key in value) {
    if (key !== keys[count]) return false
    count++
  }
  return count === keys.length
}

/** The columns of all values but those at the places `others`, which rise. */
function columnsOf(values: readonly unknown[], others: readonly number[], width: number): unknown[][] {
  // Copies of the list are long enough already and hold values of any kind: quicker than columns that grow.
  const columns: unknown[][] = Array.from({ length: width }, () => values.slice())
  let rows = 0
  for (let index = 0; index < values.length; index++) {
    if (others[index - rows] === index) continue
    const row = values[index] as Row
    let count = 0
    for (const key in row) {
      const column = columns[count++]
      if (column !== undefined) column[rows] = row[key]
    }
    rows++
  }
  for (const column of columns) column.length = rows
  return columns
}

function fillColumn(rows: readonly Row[], key: string, cells: readonly unknown[]): void {
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]
    if (row !== undefined) row[key] = cells[index]
  }
}

/** The rows with null at the places, which rise. */
function withPlaces(rows: readonly Row[], places: readonly number[]): unknown[] {
  const values: unknown[] = []
  let next = 0
  for (const row of rows) {
    for (; places[next] === values.length; next++) values.push(null)
    values.push(row)
  }
  for (; next < places.length; next++) values.push(null)
  return values
}

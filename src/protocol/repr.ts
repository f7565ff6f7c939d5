/** Longest text, in characters, before the rest becomes `...`. */
const LONGEST = 1024

/** Deepest level shown; a container below it prints as `[...]` or `{...}`. */
const DEEPEST = 3

/**
 * Writes positional arguments as Python shows a tuple: `(2, 'x', [True, None])`.
 *
 * For logs and events only. At most about 1,024 characters and three levels, whatever the size of the values.
 * @see Celery `celery/utils/saferepr.py`
 */
export function argsRepr(args: readonly unknown[]): string {
  const out: Output = { text: '', left: LONGEST, cut: false }
  putList(out, args, '(', args.length === 1 ? ',)' : ')', 0)
  return out.text
}

/** Writes keyword arguments as Python shows a dictionary: `{'a': 1}`. The limits are those of {@link argsRepr}. */
export function kwargsRepr(kwargs: Readonly<Record<string, unknown>>): string {
  const out: Output = { text: '', left: LONGEST, cut: false }
  putObject(out, kwargs, 0)
  return out.text
}

interface Output {
  text: string
  /** Characters still free. */
  left: number
  /** Nothing but closing brackets is written any more. */
  cut: boolean
}

/** The first piece that finds no room is replaced by `...`, even when it is a closing bracket: so does Celery. */
function put(out: Output, piece: string): void {
  if (out.cut) return
  if (out.left <= 0) {
    out.cut = true
    piece = ', ...'
  }
  out.text += piece
  out.left -= piece.length
}

function close(out: Output, bracket: string): void {
  if (out.cut) out.text += bracket
  else put(out, bracket)
}

function putValue(out: Output, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      return putText(out, value)
    case 'number':
      return put(out, showNumber(value))
    case 'boolean':
      return put(out, value ? 'True' : 'False')
    case 'bigint':
      return put(out, value.toString())
    case 'object':
      if (value === null) return put(out, 'None')
      if (Array.isArray(value)) return depth >= DEEPEST ? put(out, '[...]') : putList(out, value, '[', ']', depth)
      if (isRecord(value)) return depth >= DEEPEST ? put(out, '{...}') : putObject(out, value, depth)
      return put(out, showOther(value))
    case 'undefined':
      return put(out, 'None')
    default:
      return put(out, `<${typeof value}>`)
  }
}

function putList(out: Output, values: readonly unknown[], open: string, end: string, depth: number): void {
  if (out.cut) return
  put(out, open)
  for (let index = 0; index < values.length && !out.cut; index++) {
    if (index > 0) put(out, ', ')
    putValue(out, values[index], depth + 1)
  }
  close(out, end)
}

function putObject(out: Output, value: Readonly<Record<string, unknown>>, depth: number): void {
  if (out.cut) return
  put(out, '{')
  let first = true
  // Not Object.entries: that would list every key of a huge object for the few that are shown.
  for (const key in value) {
    if (out.cut) break
    const item = value[key]
    if (item === undefined || !Object.hasOwn(value, key)) continue
    if (!first) put(out, ', ')
    first = false
    putText(out, key)
    put(out, ': ')
    putValue(out, item, depth + 1)
  }
  close(out, '}')
}

function putText(out: Output, text: string): void {
  if (out.left <= 0) return put(out, '')
  const shown = text.length >= out.left ? shorten(text, out.left) : text
  put(out, `'${shown.includes("'") ? shown.replaceAll("'", "\\'") : shown}'`)
}

/** Cuts at the last blank within the room, if there is one, and not inside a surrogate pair. */
function shorten(text: string, length: number): string {
  const head = text.slice(0, text.codePointAt(length - 1) === text.charCodeAt(length - 1) ? length : length - 1)
  const blank = head.lastIndexOf(' ')
  return `${blank === -1 ? head : head.slice(0, blank)}...`
}

function showNumber(value: number): string {
  if (Number.isInteger(value)) return String(value)
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  // Python changes to exponents below 0.0001, JavaScript below 0.000001; and writes two digits of exponent.
  if (Math.abs(value) >= 1e-4) return String(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function showOther(value: object): string {
  return `<${Object.prototype.toString.call(value).slice(8, -1)} object>`
}

/** What the worker gives to a function under a name, for what is tied to the file that it was written in. */
export type Provided = 'meta' | 'import' | 'require' | 'filename' | 'dirname'

/** The code of a function as it travels: plain JSON, the same for every function made at one place. */
export interface FunctionCode {
  /** An expression whose value is the function or class. */
  readonly s: string
  /** Its name. */
  readonly n: string
  /** The file that stack traces name: `./src/app.ts` below the root, otherwise a URL; absent for code that is in no file. */
  readonly u?: string
  /** The line of that file on which `s` begins, counted from 0. */
  readonly l: number
  /** The file from which its imports resolve, where that is another: what a compiler made of `u`. */
  readonly o?: string
  /** It is a class. */
  readonly k?: 1
  /** It is sloppy code. */
  readonly j?: 1
  /** The name that stands for its superclass in `s`. */
  readonly x?: string
  /** Names in `s` that the worker gives a value. */
  readonly g?: Readonly<Record<string, Provided>>
}

const PROVIDED: ReadonlySet<unknown> = new Set<Provided>(['meta', 'import', 'require', 'filename', 'dirname'])
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200C\u200D]*$/u

/** True for a value that has the whole shape of a function's code. */
export function isFunctionCode(value: unknown): value is FunctionCode {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { s, n, u, l, o, k, j, x, g } = value as Partial<Record<keyof FunctionCode, unknown>>
  return (
    typeof s === 'string' &&
    typeof n === 'string' &&
    Number.isSafeInteger(l) &&
    (l as number) >= 0 &&
    [u, o].every((file) => file === undefined || typeof file === 'string') &&
    [k, j].every((flag) => flag === undefined || flag === 1) &&
    (x === undefined || isIdentifier(x)) &&
    (g === undefined || areProvided(g))
  )
}

/** True for a name that a variable may have. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && IDENTIFIER.test(value)
}

/** Where the code was written, as messages name it: `src/app.ts:12`. */
export function placeOfCode(code: FunctionCode): string {
  return code.u === undefined ? 'evaluated code' : `${code.u.replace(/^\.\//, '')}:${code.l + 1}`
}

/** Whether a text names one of {@link Provided}. */
export function isProvided(kind: unknown): kind is Provided {
  return PROVIDED.has(kind)
}

function areProvided(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([name, kind]) => isIdentifier(name) && PROVIDED.has(kind))
}

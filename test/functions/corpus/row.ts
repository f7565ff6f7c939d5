/** What a task may be: any function whose arguments the row knows. */
export type Task = (...args: never[]) => unknown

/** An error as the caller of `result()` sees it. */
export interface Thrown {
  readonly name: string
  readonly message: RegExp
  /** A line of the rows' source that its stack names: the one that ends in `// line: <this>`. */
  readonly line?: string
  /** Its `cause`. */
  readonly cause?: Thrown
}

/** What becomes of a row: a value, an error of the task's own, or a refusal. */
export type Expected =
  | { readonly gives: unknown }
  | { readonly throws: Thrown }
  /** Refused by `submit`; matches the name of the variable or value at fault. */
  | { readonly refused: RegExp }
  /** It runs, but what it returns cannot come back; matches the message that says so. */
  | { readonly unreturnable: RegExp }

/** What a compiler or a version of Node makes different, and why. */
export type Difference = Expected & { readonly why: string }

/** A shape of function. */
export type Row = Expected & {
  readonly title: string
  /** Makes the function where it is written, as a program would on its way to `submit`. */
  readonly make: () => Task
  readonly args?: readonly unknown[] | (() => readonly unknown[])
  /** Done as soon as `submit` has returned. */
  readonly after?: () => void
  /** What calling it in this process gives, where that is something else. */
  readonly here?: Expected
  /** By variant, as named in `variants.ts`. */
  readonly differs?: Readonly<Record<string, Difference>>
}

/** The arguments of one call. */
export function argumentsOf(row: Row): readonly unknown[] {
  return typeof row.args === 'function' ? row.args() : (row.args ?? [])
}

/** The same difference for several variants. */
export function under(variants: readonly string[], difference: Difference): Readonly<Record<string, Difference>> {
  return Object.fromEntries(variants.map((variant) => [variant, difference]))
}

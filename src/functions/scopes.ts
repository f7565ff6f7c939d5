/** What one stretch of code declares. */
export interface Scope {
  readonly names: Set<string>
  /** Where `var` and, in sloppy code, the functions of blocks belong. */
  readonly isFunction: boolean
  readonly parent: Scope | undefined
}

/** One place where a name is used. */
export interface Mention {
  readonly name: string
  readonly start: number
  readonly scope: Scope
  /** What is done with it; the members that are taken of it, where nothing else is. */
  readonly use: 'read' | 'write' | 'typeof' | readonly string[]
}

/** A new scope inside another. */
export function within(parent: Scope | undefined, isFunction: boolean): Scope {
  return { names: new Set(), isFunction, parent }
}

/** The scope of the function around. */
export function functionScope(scope: Scope): Scope {
  let step = scope
  while (!step.isFunction && step.parent !== undefined) step = step.parent
  return step
}

/** The scope that declares a mentioned name; undefined for a free one. Asked once all declarations are known. */
export function scopeOf({ name, scope }: Mention): Scope | undefined {
  let step: Scope | undefined = scope
  while (step !== undefined && !step.names.has(name)) step = step.parent
  return step
}

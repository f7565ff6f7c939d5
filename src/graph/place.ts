/** How a value is held by another: a key, an index, or words of their own. */
export type Hold = string | number | { readonly words: string } | { readonly variable: string; readonly of: string }

/** Where something was found, as a chain towards the value that was given. */
export interface Place {
  /** Undefined for the value that was given. */
  readonly parent: Place | undefined
  readonly hold: Hold
  /** The object at this place. */
  readonly object: object
  /** Whether a function's variable leads here. */
  readonly isCaptured: boolean
}

/** Whether what `holder` holds so is captured by a function. */
export function isCaptured(holder: Place | undefined, hold: Hold): boolean {
  return holder?.isCaptured === true || (typeof hold === 'object' && 'variable' in hold)
}

/**
 * Writes a place for people: `args[0].file`, `variable "pool".clients[0] of the function add (src/app.ts:12)`.
 *
 * `name` is what the whole value is called; `names`, if given, what its elements are called instead.
 */
export function describePlace(place: Place | undefined, hold: Hold | undefined, name: string, names: readonly string[] | undefined): string {
  let path = ''
  let step = place
  let next = hold
  while (step !== undefined) {
    if (next !== undefined) {
      if (typeof next === 'object' && 'variable' in next) return `variable "${next.variable}"${path} of ${next.of}`
      const named = step.parent === undefined && typeof next === 'number' ? names?.[next] : undefined
      if (named !== undefined) return `${named}${path}`
      path = `${holdText(next)}${path}`
    }
    next = step.parent === undefined ? undefined : step.hold
    step = step.parent
  }
  return `${name}${path}`
}

function holdText(hold: Exclude<Hold, { variable: string }>): string {
  if (typeof hold === 'number') return `[${hold}]`
  if (typeof hold === 'object') return hold.words
  return /^[A-Za-z_$][\w$]*$/.test(hold) ? `.${hold}` : `[${JSON.stringify(hold)}]`
}

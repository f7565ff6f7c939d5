import type { Expected } from './row.ts'

/** One row as a program that ran it reports it, a line of JSON each. */
export interface Report {
  readonly theme: string
  readonly title: string
  /**
   * `right`, `threw` and `refused` are what was expected. `WRONG` is a value that is not what it should be, the worst;
   * `FAILED` anything else that was not expected; `WRONG HERE` a mistake in the row.
   */
  readonly outcome: 'right' | 'threw' | 'refused' | 'WRONG' | 'FAILED' | 'WRONG HERE'
  readonly detail: string
  /** Why this variant is expected to differ from the others, where it is. */
  readonly differs?: string
  /** What the function gives in the program itself, where that is known to be something else. */
  readonly here?: string
}

/** True for what was not expected. */
export function isUnexpected({ outcome }: Report): boolean {
  return outcome === 'WRONG' || outcome === 'FAILED' || outcome === 'WRONG HERE'
}

/** What {@link Report} calls an outcome that was expected. */
export function outcomeName(expected: Expected): Report['outcome'] {
  if ('gives' in expected) return 'right'
  return 'refused' in expected ? 'refused' : 'threw'
}

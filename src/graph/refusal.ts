import { describeUnsendable } from '../protocol/unsendable.ts'
import type { Hold } from './place.ts'

/** Something that cannot travel. The writer knows where it stands and makes the error of it. */
export class Refusal extends Error {
  readonly hint: string | undefined
  /** How the object that is being written holds what is refused; undefined for that object itself. */
  readonly hold: Hold | undefined

  /** `problem` follows the path to the value; `hint` says what to do, unless the problem does. */
  constructor(problem: string, hint: string | undefined, hold?: Hold, options?: ErrorOptions) {
    super(problem, options)
    this.hint = hint
    this.hold = hold
  }
}

/** Refuses a value for what it is. */
export function refuse(value: unknown, hold?: Hold): Refusal {
  const { what, hint } = describeUnsendable(value)
  return new Refusal(`is ${what}, which cannot travel to another process`, hint, hold)
}

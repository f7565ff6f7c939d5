import { isPlainObject, show } from './config/kinds.ts'
import { InvalidTaskError } from './errors.ts'

/** Keyword arguments of a call, made by {@link kw}. */
export class KeywordArguments {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  /** By parameter name. */
  get values(): Readonly<Record<string, unknown>> {
    return this.#values
  }
}

/**
 * Keyword arguments for a call: `celery.submit(add, 1, kw({ y: 2 }))`.
 *
 * They travel as Celery's kwargs and bind to the function's parameters by name.
 */
export function kw(values: Readonly<Record<string, unknown>>): KeywordArguments {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new InvalidTaskError('kw() takes one object of names and values, e.g. kw({ y: 2 }).')
  }
  return new KeywordArguments({ ...values })
}

/** The first few elements of a list of parameters; of an open-ended one, any number of them. */
export type Prefixes<A extends readonly unknown[]> = number extends A['length']
  ? A
  : Required<A> extends readonly [infer Head, ...infer Tail]
    ? [] | [Head, ...Prefixes<Tail>]
    : []

/** What a call of a function with parameters `A` may be given: all of them, or the first few and `kw({…})`. */
export type CallArguments<A extends readonly unknown[]> = A | [...Prefixes<A>, KeywordArguments]

/** The arguments of a call, by position and by name. */
export interface Arguments {
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
}

/**
 * Takes a trailing `kw()` off the arguments of a call.
 * @throws {@link InvalidTaskError} for a `kw()` anywhere else.
 */
export function splitArguments(given: readonly unknown[]): Arguments {
  const last = given.at(-1)
  const keywords = last instanceof KeywordArguments ? last.values : undefined
  const args = keywords === undefined ? given : given.slice(0, -1)
  if (args.some((argument) => argument instanceof KeywordArguments)) throw new InvalidTaskError('kw(…) must be the last argument, and there can be one.')
  return { args, kwargs: keywords ?? NO_KEYWORDS }
}

/**
 * Puts together what a caller gives as a list and an object; the list may end with `kw()`. `where` names the method.
 * @throws {@link InvalidTaskError} for what is no list, and no object.
 */
export function joinArguments(given: readonly unknown[], keywords: Readonly<Record<string, unknown>>, where: string): Arguments {
  if (!Array.isArray(given)) throw new InvalidTaskError(`${where} takes the arguments as an array, e.g. [1, 2], not ${show(given)}.`)
  if (!isPlainObject(keywords)) throw new InvalidTaskError(`${where} takes the keyword arguments as an object, e.g. { y: 2 }, not ${show(keywords)}.`)
  const { args, kwargs } = splitArguments(given)
  return keywords === NO_KEYWORDS ? { args, kwargs } : { args, kwargs: { ...kwargs, ...keywords } }
}

/** The keyword arguments of most calls. */
export const NO_KEYWORDS: Readonly<Record<string, unknown>> = Object.freeze({})

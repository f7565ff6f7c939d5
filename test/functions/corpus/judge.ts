import { inspect, isDeepStrictEqual } from 'node:util'
import type { Expected, Thrown } from './row.ts'

/** What became of one call. */
export type Outcome =
  | { readonly gave: unknown }
  | { readonly threw: unknown }
  /** `submit` threw, or its promise rejected: nothing was sent. */
  | { readonly refused: unknown }

/** What is wrong with an outcome; undefined when it is what was expected. */
export function judge(expected: Expected, outcome: Outcome, lineOf: (mark: string) => string = () => ''): string | undefined {
  if ('gives' in expected) return 'gave' in outcome && isDeepStrictEqual(outcome.gave, expected.gives) ? undefined : differently(inspect(expected.gives), outcome)
  if ('throws' in expected) return 'threw' in outcome ? wrongError(expected.throws, outcome.threw, lineOf) : differently(expected.throws.name, outcome)
  if ('refused' in expected) return 'refused' in outcome ? wrongRefusal(expected.refused, outcome.refused) : differently(`a refusal naming ${expected.refused}`, outcome)
  return 'threw' in outcome && expected.unreturnable.test(messageOf(outcome.threw)) ? undefined : differently(`a failure saying ${expected.unreturnable}`, outcome)
}

/** An outcome in a line. */
export function describe(outcome: Outcome): string {
  if ('gave' in outcome) return `gave ${inspect(outcome.gave, { breakLength: Infinity, maxStringLength: 300 })}`
  const [what, error] = 'threw' in outcome ? ['threw', outcome.threw] : ['refused', outcome.refused]
  return `${what} ${error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)}`
}

function differently(expected: string, outcome: Outcome): string {
  const where = 'threw' in outcome && outcome.threw instanceof Error ? `\n${outcome.threw.stack ?? ''}` : ''
  return `expected ${expected}, ${describe(outcome)}${where}`
}

function wrongError(expected: Thrown, error: unknown, lineOf: (mark: string) => string): string | undefined {
  // Something thrown that is no error comes back as one.
  const [name, message, stack] = error instanceof Error ? [error.name, error.message, error.stack ?? ''] : ['Error', String(error), '']
  if (name !== expected.name || !expected.message.test(message)) return `expected ${expected.name} with ${expected.message}, got ${name}: ${message}\n${stack}`
  const line = expected.line === undefined ? '' : lineOf(expected.line)
  if (line !== '' && !stack.includes(line)) return `expected a stack that names ${line}, got ${stack}`
  if (expected.cause === undefined) return undefined
  const cause = error instanceof Error ? error.cause : undefined
  const problem = cause instanceof Error ? wrongError(expected.cause, cause, lineOf) : `expected ${expected.cause.name}, got ${inspect(cause)}`
  return problem && `cause: ${problem}`
}

/** A crash of ours is no refusal: one has a class of ours, and says which value is at fault. */
function wrongRefusal(expected: RegExp, error: unknown): string | undefined {
  const isOurs = error instanceof Error && /^(InvalidTaskError|UnreachableFunctionError|EncodeError)$/.test(error.name)
  if (!isOurs) return `expected a refusal, submit failed with ${error instanceof Error ? error.stack : inspect(error)}`
  return expected.test(error.message) ? undefined : `expected a refusal naming ${expected}, got ${error.name}: ${error.message}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

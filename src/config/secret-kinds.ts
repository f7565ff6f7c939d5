import { type Kind, splitCommas, type Where } from './kinds.ts'

const LEAST_LENGTH = 16
const EXPECTED = `a text of at least ${LEAST_LENGTH} characters`

/** A secret text. Blanks around it do not count, and no message repeats it. */
export const secret: Kind<string> = {
  expected: EXPECTED,
  fromText: (value) => value,
  read(value, where, problems) {
    const problem = problemOf(value)
    if (problem === undefined) return String(value).trim()
    return refuseUnseen(`${EXPECTED}, not ${problem}. Make one with: openssl rand -hex 32`, where, problems)
  },
}

/** A list of secret texts. */
export const secretList: Kind<readonly string[]> = {
  expected: `a list of texts of at least ${LEAST_LENGTH} characters each`,
  fromText: splitCommas,
  read(value, where, problems) {
    if (!Array.isArray(value)) return refuseUnseen(`${this.expected}, not ${describe(value)}.`, where, problems)
    const items: readonly unknown[] = value
    const wrong = items.findIndex((item) => problemOf(item) !== undefined)
    if (wrong === -1) return items.map((item) => String(item).trim())
    return refuseUnseen(`${this.expected}; number ${wrong + 1} is ${problemOf(items[wrong])}.`, where, problems)
  },
}

/** What is wrong with a value, without showing it. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return describe(value)
  const { length } = value.trim()
  return length < LEAST_LENGTH ? `one of ${length}` : undefined
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a value of type ${typeof value}`
}

function refuseUnseen(expected: string, { name, place }: Where, problems: string[]): undefined {
  problems.push(`"${name}"${place} must be ${expected}`)
}

import { readFileSync } from 'node:fs'

export const ROOT = `${import.meta.dirname}/../..`

/** A block of TypeScript in a page. */
export interface CodeBlock {
  readonly code: string
  /** The file that its first line names: `// tasks.ts`. */
  readonly file: string | undefined
  /** It is marked `ts run`: what it prints is what its comments say. */
  readonly runs: boolean
}

/** The TypeScript blocks of a page of the repository, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(`${ROOT}/${page}`, 'utf8')
  return [...text.matchAll(/^```ts( run)?\n([\s\S]*?)^```$/gm)].map(([, mark, code = '']) => ({
    code,
    file: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
    runs: mark !== undefined,
  }))
}

/** What a block says it prints: the comments behind its `console.log` calls. */
export function promisedOutput({ code }: CodeBlock): string[] {
  return [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, output = '']) => output)
}

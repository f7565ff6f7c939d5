import { basename } from 'node:path'
import type { Row } from '../row.ts'

const here = basename(import.meta.filename)

/** Rows that only an ES module can have. */
export const rows: readonly Row[] = [
  { title: 'import.meta.url', make: () => () => import.meta.url.startsWith('file:///'), gives: true },
  { title: 'import.meta.filename and dirname', make: () => () => import.meta.filename.startsWith(import.meta.dirname) && basename(import.meta.filename) === here, gives: true },
  { title: 'import.meta.resolve', make: () => () => import.meta.resolve('acorn').startsWith('file:///'), gives: true },
  { title: 'import.meta.resolve of a relative path', make: () => () => import.meta.resolve('./own.ts').endsWith('/own.ts'), gives: true },
  { title: 'a URL relative to import.meta.url', make: () => () => new URL('./data.txt', import.meta.url).pathname.endsWith('/data.txt'), gives: true },
  { title: 'import.meta in a captured function and in a template', make: () => { const own = (): string => `${import.meta.url}`; return () => own() === `${import.meta.url}` }, gives: true },
  { title: 'import.meta in a class', make: () => { class Here { url = import.meta.url } return () => new Here().url.startsWith('file:') }, gives: true },
]

import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../row.ts'

const settings = await sleep(1, { rate: 3 })
const maths = await import('../modules/maths.ts')
const { add } = await import('../modules/maths.ts')
const acorn = await import('acorn')

const module = 'module'
const exports = 'exports'
const __filename = 'file'

const scale = (x: number): number => x * settings.rate

/** Exported from a module that awaits. */
export const exportedScale = (x: number): number => x * settings.rate

/** Rows of a module that awaits before it has its values; CommonJS cannot. */
export const rows: readonly Row[] = [
  { title: 'captured names of what CommonJS gives', make: () => () => [module, exports, __filename], gives: ['module', 'exports', 'file'] },
  { title: 'a variable that was awaited at the top level', make: () => scale, args: [2], gives: 6 },
  { title: 'an exported function of a module that awaits', make: () => exportedScale, args: [2], gives: 6 },
  { title: 'members of an awaited namespace', make: () => (x: number) => maths.add(x, maths.PI2), args: [1], gives: 7.28 },
  { title: 'a function destructured from an awaited namespace', make: () => (x: number) => add(x, 1), args: [1], gives: 2 },
  { title: 'members of an awaited namespace of a package', make: () => (source: string) => acorn.parse(source, { ecmaVersion: 2024 }).type, args: ['a'], gives: 'Program' },
]

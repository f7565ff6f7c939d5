import type { Task } from '../row.ts'

export const suffix = '!'

const shout: Task = ((text: string) => text.toUpperCase() + suffix) as Task

export default (text: string): unknown => shout(text as never)

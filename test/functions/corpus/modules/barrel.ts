export { default as greet } from './greeting.ts'
export * from './maths.ts'
export * as maths from './maths.ts'

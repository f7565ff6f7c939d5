export interface User {
  readonly name: string
}

export function add(a: number, b: number): number {
  return a + b
}

export async function find(_id: string): Promise<User | undefined> {
  return undefined
}

export function touch(): void {}

export function greet(name: string, greeting?: string): string {
  return `${greeting ?? 'Hi'} ${name}`
}

export function sum(...numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

export function identity<T>(value: T): T {
  return value
}

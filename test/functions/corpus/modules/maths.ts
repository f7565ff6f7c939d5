/** What rows import: each kind of export there is. */
export const PI2 = 6.28

export function add(a: number, b: number): number {
  return a + b
}

export const triple = (x: number): number => unexported(x) * 3

export class Vector {
  x: number
  y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  static of(x: number, y: number): Vector {
    return new Vector(x, y)
  }
  static norm(x: number, y: number): number {
    return Vector.of(x, y).length()
  }
  length(): number {
    return Math.hypot(this.x, this.y)
  }
}

export const table: Readonly<Record<string, (x: number) => number>> = { half: (x) => x / 2, square: (x) => x ** 2 }

let offset = 100

/** Changes what {@link withOffset} adds, in this process. */
export function setOffset(value: number): void {
  offset = value
}

export function withOffset(x: number): number {
  return x + offset
}

export { renamed as subtract }

function renamed(a: number, b: number): number {
  return a - b
}

function unexported(x: number): number {
  return x
}

/** Says hello; the default export is a function with a name. */
export default function greet(name: string): string {
  return `${PREFIX}, ${name}`
}

export const PREFIX = 'Hello'

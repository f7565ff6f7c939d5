/**
 * Does something without the warning that Node's part for it is experimental: what we rely on is our
 * decision, and nothing that a user of ours could change. Every other warning is let through.
 */
export function quietly<T>(run: () => T): T {
  const before = Object.getOwnPropertyDescriptor(process, 'emitWarning')
  const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]): void => {
    if (!isExperimental(args)) emit(...args)
  }
  try {
    return run()
  } finally {
    if (before === undefined) Reflect.deleteProperty(process, 'emitWarning')
    else Object.defineProperty(process, 'emitWarning', before)
  }
}

function isExperimental([warning, type]: readonly unknown[]): boolean {
  return type === 'ExperimentalWarning' || (warning instanceof Error && warning.name === 'ExperimentalWarning')
}

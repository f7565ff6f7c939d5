/** Importing this file checks the version of Node. It comes first wherever the package is entered. */

const OLDEST = [22, 18] as const

/** @throws Error for a version of Node that the package does not run on. */
export function requireNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new Error(`celeriac needs Node ${OLDEST.join('.')} or later; this is v${version}`)
}

requireNode(process.versions.node)

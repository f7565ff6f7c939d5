#!/usr/bin/env node
import '../internal/node-version.ts'

// A reader such as `head` may leave early; what is left to say is then for nobody.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// Loaded after the check of the version: what the commands import does not work in an older Node.
const { runCommandLine } = await import('./program.ts')
const exitCode = await runCommandLine(process.argv.slice(2))
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
// The application may hold timers and connections of its own, which nobody waits for.
process.exit(exitCode)

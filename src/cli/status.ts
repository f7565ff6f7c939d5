import { styleText } from 'node:util'
import type { Command } from 'commander'

import type { App } from '../app.ts'
import { seconds } from '../config/kinds.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { GlobalOptions } from './global-options.ts'
import { valueOf } from './values.ts'
import { withCelery } from './with-celery.ts'

interface StatusOptions extends GlobalOptions {
  readonly timeout: number
  readonly json?: boolean
}

/** Adds `celeriac status`. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('Show which workers reply.')
    .option('-t, --timeout <seconds>', 'how long to wait for replies', valueOf(seconds('above 0')), 1)
    .option('-j, --json', 'print an object of node names')
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StatusOptions>()
      return withCelery(options, (celery) => showStatus(celery, options))
    })
}

async function showStatus(celery: App, { timeout, json, quiet }: StatusOptions): Promise<void> {
  const replies = await celery.status({ timeout })
  const nodes = Object.keys(replies)
  if (json === true) console.log(JSON.stringify(replies))
  if (nodes.length === 0) throw new CommandFailure(`No nodes replied within ${timeout} ${timeout === 1 ? 'second' : 'seconds'}.`, EXIT.unavailable)
  if (json === true) return
  for (const node of nodes) console.log(`${node}: ${styleText('green', 'OK', { stream: process.stdout })}`)
  if (quiet !== true) console.log(`\n${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} online.`)
}

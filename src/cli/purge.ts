import { createInterface } from 'node:readline'
import type { Command } from 'commander'

import type { App } from '../app.ts'
import { workerEntries } from '../config/workers.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { GlobalOptions } from './global-options.ts'
import { queueNames, valueOf } from './values.ts'
import { withCelery } from './with-celery.ts'

interface PurgeOptions extends GlobalOptions {
  readonly force?: boolean
  readonly queues?: readonly string[]
}

/** Adds `celeriac purge`. */
export function addPurgeCommand(program: Command): void {
  program
    .command('purge')
    .description('Erase all messages that wait in the queues of the application. They cannot be brought back.')
    .option('-f, --force', 'do not ask')
    .option('-Q, --queues <names>', 'queues to erase, with commas (default: those that the configuration and the tasks name)', valueOf(queueNames))
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<PurgeOptions>()
      return withCelery(options, (celery) => purge(celery, options))
    })
}

async function purge(celery: App, { force, queues = knownQueues(celery) }: PurgeOptions): Promise<void> {
  if (force !== true) await confirm(queues)
  const { broker } = await celery.open()
  let count = 0
  for (const queue of queues) count += await broker.purge(queue)
  const from = `${queues.length} known task ${queues.length === 1 ? 'queue' : 'queues'}.`
  console.log(count === 0 ? `No messages purged from ${from}` : `Purged ${count} ${count === 1 ? 'message' : 'messages'} from ${from}`)
}

function knownQueues({ conf, registry }: App): string[] {
  const ofWorkers = workerEntries(conf.workers).flatMap(([, { queues = [] }]) => queues)
  const ofTasks = registry.names().flatMap((name) => registry.get(name).options.queue ?? [])
  return [...new Set([conf.taskDefaultQueue, ...ofWorkers, ...ofTasks])]
}

/** @throws {@link CommandFailure} unless the answer is yes; no answer at all is no. */
async function confirm(queues: readonly string[]): Promise<void> {
  process.stderr.write(
    `WARNING: This will remove all tasks from queues: ${queues.join(', ')}.\n` +
      '         There is no undo for this operation!\n\n' +
      '(to skip this prompt use the -f option)\n' +
      'Are you sure you want to delete all tasks? [y/N] ',
  )
  const answer = await firstLine()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('Aborted: nothing was purged.', EXIT.failure)
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
  }
}

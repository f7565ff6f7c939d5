import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { childEnvironment, childExecArgv } from '../internal/child-environment.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { LoadRequest } from './load-celery.ts'

/** What a worker must know of the application that it runs tasks of, as plain data. */
export interface ApplicationFacts {
  /** Its configuration, with passwords. */
  readonly conf: Record<string, unknown>
  /** The absolute spec by which others load it; undefined for the default application. */
  readonly spec: string | undefined
  /** Names of its tasks. */
  readonly tasks: readonly string[]
}

/** What the process that loads the application sends back. */
export type FactsReport = { readonly facts: ApplicationFacts } | { readonly failure: string; readonly exitCode: number }

/** How long an application may take to load. */
const DEADLINE_MS = 60_000

/**
 * Loads the application in a process of its own that ends at once, and tells what it is: user code never
 * runs in a worker.
 * @throws {@link CommandFailure} when it cannot be loaded.
 */
export async function readApplicationFacts(request: LoadRequest): Promise<ApplicationFacts> {
  const child = fork(fileURLToPath(new URL(`./application-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)), [], {
    execArgv: childExecArgv(),
    env: childEnvironment('worker'),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  try {
    // Over the channel: a URL may hold a password, which everybody could read among the arguments.
    child.send(request, () => {})
    const report = await new Promise<FactsReport>((resolve, reject) => {
      child.on('message', (message) => isReport(message) && resolve(message))
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(endedEarly(request.spec, signal ?? `code ${code}`)))
    })
    if ('failure' in report) throw new CommandFailure(report.failure, report.exitCode)
    return report.facts
  } finally {
    process.off('exit', end)
    end()
  }
}

/** User code and loaders share the channel, so anything may come. */
function isReport(message: unknown): message is FactsReport {
  return typeof message === 'object' && message !== null && ('facts' in message || 'failure' in message)
}

function endedEarly(spec: string | undefined, how: string): FactsReport {
  const failure = `Unable to load celery application.\nThe process that loaded ${spec ?? 'the default application'} ended with ${how} before it was done.`
  return { failure, exitCode: EXIT.usage }
}

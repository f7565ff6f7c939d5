import { availableParallelism, release } from 'node:os'
import type { Command } from 'commander'

import type { App } from '../app.ts'
import type { ConfigLine } from '../config/config.ts'
import { maskUrl } from '../config/url.ts'
import { type GlobalOptions, overridesOf } from './global-options.ts'
import { packageVersion } from './version.ts'
import { withCelery } from './with-celery.ts'

/** Adds `celeriac report`. */
export function addReportCommand(program: Command): void {
  program
    .command('report')
    .description('Show versions and the configuration in force, with passwords masked and where each value comes from.')
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      return withCelery(options, async (celery) => console.log(reportOf(celery, options)))
    })
}

function reportOf({ conf, registry }: App, options: GlobalOptions): string {
  const lines = conf.report()
  const width = Math.max(...lines.map(({ name }) => name.length))
  const overridden = Object.keys(overridesOf(options))
  const origin = (line: ConfigLine): string => (overridden.includes(line.name) ? 'command line' : line.origin)
  return [
    `software -> celeriac:${packageVersion()} node:${process.versions.node} sqlite:${process.versions['sqlite'] ?? 'none'}`,
    `platform -> system:${process.platform} arch:${process.arch} kernel:${release()} cores:${availableParallelism()}`,
    `settings -> transport:${maskUrl(conf.brokerUrl)} results:${maskUrl(conf.resultBackend)}`,
    `tasks    -> ${registry.names().join(', ') || 'none'}`,
    '',
    ...lines.map((line) => `${line.name.padEnd(width)}  ${JSON.stringify(line.value) ?? 'not set'}  (${origin(line)})`),
    ...conf.warnings.map((warning) => `\nwarning: ${warning}`),
  ].join('\n')
}

import { arch, hostname, platform } from 'node:os'

import type { Config } from '../config/config.ts'
import { maskUrl } from '../config/url.ts'
import { packageVersion } from './version.ts'

/** What a starting worker says of itself. */
export interface BannerFacts {
  readonly nodeName: string
  readonly conf: Config
  readonly concurrency: number
  readonly pool: string
  readonly queues: readonly string[]
  readonly tasks: readonly string[]
}

/** The lines that a worker prints when it starts, with passwords masked. */
export function banner({ nodeName, conf, concurrency, pool, queues, tasks }: BannerFacts): string {
  const settings = [
    ['app', conf.main],
    ['transport', maskUrl(conf.brokerUrl)],
    ['results', maskUrl(conf.resultBackend)],
    ['concurrency', `${concurrency} (${pool})`],
    ['root', conf.root],
  ] as const
  return [
    `${nodeName} (celeriac ${packageVersion()}), ${platform()} ${arch()} ${hostname()}, Node ${process.versions.node}`,
    '',
    '[config]',
    ...settings.map(([name, value]) => `.> ${`${name}:`.padEnd(13)}${value}`),
    '',
    '[queues]',
    ...queues.map((queue) => `.> ${queue}`),
    '',
    '[tasks]',
    ...tasks.map((task) => `  . ${task}`),
    '',
  ].join('\n')
}

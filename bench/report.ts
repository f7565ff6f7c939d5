import { type Measurement, type Rounds, type Row, SIDES } from './measurement.ts'
import { formatNumber } from './rows.ts'

/** A measurement with what its rounds gave, or why it could not be made. */
export interface Outcome {
  readonly measurement: Measurement
  readonly rounds: Rounds
  readonly failure: string | undefined
}

const HEADINGS = ['', 'Celeriac', 'peer', 'ratio', 'target', '']

/** The table for the terminal, columns aligned. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const lines = [HEADINGS, ...outcomes.flatMap((outcome) => rowsOf(outcome).map(cells))]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}

/** The results page: the machine, the table, then each measurement's rounds and what bounds it. */
export function formatPage(machine: readonly string[], outcomes: readonly Outcome[]): string {
  const table = [HEADINGS, HEADINGS.map(() => '---'), ...outcomes.flatMap((outcome) => rowsOf(outcome).map(cells))]
  return [
    '# Benchmark results',
    '',
    'Written by `npm run bench`. All sides run in turn on the same machine in the same run, on the no-op task `add(i, 1)`;',
    'the ratio is the median of the ratios round by round. Celeriac runs on its embedded default (side `celeriac`) and on a',
    'private Redis (`celeriac-redis`), and so do BullMQ and Celery, each in turn on the same one. The bare loop (`bare`) is no queue:',
    'it does the least that a worker of ours on Redis has to do with the same client and server, and shows what bounds it.',
    '',
    ...machine.map((line) => `- ${line}`),
    '',
    ...table.map((line) => `| ${line.join(' | ')} |`),
    ...outcomes.flatMap(formatDetails),
    '',
  ].join('\n')
}

function formatDetails({ measurement, rounds, failure }: Outcome): string[] {
  const sides = SIDES.flatMap((side) =>
    rounds[side].map((figures, index) => {
      const values = Object.entries(figures).map(([name, value]) => `${name} ${formatNumber(value)}`)
      return `- ${side}, round ${index + 1}: ${values.join(', ')}`
    }),
  )
  const failed = failure === undefined ? [] : [`Not measured: ${failure.split('\n')[0] ?? ''}`, '']
  return ['', `## ${measurement.title}`, '', ...failed, `What bounds it: ${measurement.boundedBy}`, '', ...sides]
}

function rowsOf({ measurement, rounds, failure }: Outcome): Row[] {
  if (failure === undefined) return measurement.rows(rounds)
  return [{ what: measurement.title, ours: 'not measured', peer: '', ratio: '', target: '', met: undefined }]
}

function cells({ what, ours, peer, ratio, target, met }: Row): string[] {
  return [what, ours, peer, ratio, target, met === undefined ? '' : met ? 'met' : 'missed']
}

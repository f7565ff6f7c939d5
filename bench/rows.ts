import { type Row, type Rounds, type SideName, series } from './measurement.ts'
import { median } from './statistics.ts'

const MISSING = '–'

const NAMES: Readonly<Record<SideName, string>> = {
  celeriac: 'Celeriac on SQLite',
  'celeriac-redis': 'Celeriac on Redis',
  bullmq: 'BullMQ',
  celery: 'Celery',
  bare: 'the bare loop',
}

/** Two sides of a row, by one figure of theirs. */
export interface Comparison {
  readonly what: string
  readonly figure: string
  readonly ours: SideName
  readonly peer: SideName
}

/** A row about speed, more being better. Without `least` it is only shown. */
export function speedRow(rounds: Rounds, comparison: Comparison, least?: number): Row {
  const ratio = medianRatio(rounds, comparison)
  const target = least === undefined ? MISSING : `≥ ${least} ×`
  return { ...comparedRow(rounds, comparison, ''), target, met: verdict(ratio, least === undefined ? undefined : ratio >= least) }
}

/** A row about time that must be at most `most` times the peer's. Without `most` it is only shown. */
export function latencyRow(rounds: Rounds, comparison: Comparison, most?: number): Row {
  const ratio = medianRatio(rounds, comparison)
  const target = most === undefined ? MISSING : `≤ ${most} ×`
  return { ...comparedRow(rounds, comparison, 'ms'), target, met: verdict(ratio, most === undefined ? undefined : ratio <= most) }
}

/** A row about something of ours that must stay at or below `most`. */
export function limitRow(what: string, ours: number, most: number, unit: string): Row {
  return {
    what,
    ours: withUnit(ours, unit),
    peer: MISSING,
    ratio: MISSING,
    target: `≤ ${most} ${unit}`,
    met: verdict(ours, ours <= most),
  }
}

/** A row about two figures of ours, the one divided by the other. Without `least` it is only shown. */
export function shareRow(what: string, share: number, least?: number): Row {
  return {
    what,
    ours: formatNumber(share),
    peer: MISSING,
    ratio: MISSING,
    target: least === undefined ? MISSING : `≥ ${least}`,
    met: verdict(share, least === undefined ? undefined : share >= least),
  }
}

/** Three significant digits, thousands apart; a dash when there is none. */
export function formatNumber(value: number): string {
  return Number.isNaN(value) ? MISSING : value.toLocaleString('en', { maximumSignificantDigits: Math.abs(value) >= 1000 ? 4 : 3 })
}

function comparedRow(rounds: Rounds, { what, figure, ours, peer }: Comparison, unit: string): Omit<Row, 'target' | 'met'> {
  const ratio = medianRatio(rounds, { figure, ours, peer })
  return {
    what,
    ours: withUnit(median(series(rounds[ours], figure)), unit),
    peer: withUnit(median(series(rounds[peer], figure)), unit),
    ratio: Number.isNaN(ratio) ? MISSING : `${ratio.toFixed(2)} × ${NAMES[peer]}`,
  }
}

/**
 * The median of the ratios round by round.
 *
 * Rounds are paired because the sides of one round ran on the machine as it was in the same minute.
 */
function medianRatio(rounds: Rounds, { figure, ours, peer }: Omit<Comparison, 'what'>): number {
  const theirs = series(rounds[peer], figure)
  return median(series(rounds[ours], figure).slice(0, theirs.length).map((value, round) => value / (theirs[round] ?? Number.NaN)))
}

function verdict(value: number, met: boolean | undefined): boolean | undefined {
  return Number.isNaN(value) ? undefined : met
}

function withUnit(value: number, unit: string): string {
  return Number.isNaN(value) || unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`
}

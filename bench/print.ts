/** A result as a table that a person reads. */
import { formatDuration, paint, renderTable, wantsColour } from '../lab/table.js'
import type { Result } from './contest.js'

export function printResult(result: Result): string {
  const colour = wantsColour()
  const rounds = result.standings[0]?.rounds.length ?? 0
  const shown = result.standings.some(({ javascript }) => javascript !== undefined)
  const { perSecond } = result
  const value = (time: number): string =>
    perSecond === undefined ? formatDuration(time) : formatRate(1e9 / time)
  const rows = result.standings.map(({ name, processes, min, median, ratio, javascript }) => [
    name.startsWith('nfbridge') ? { text: name, style: 'green' as const } : name,
    processes === 0 ? { text: '0', style: 'dim' as const } : String(processes),
    value(min),
    value(median),
    name === result.floor
      ? { text: '1.00', style: 'dim' as const }
      : formatRatio(perSecond === undefined ? ratio : 1 / ratio),
    ...(shown
      ? javascript === undefined
        ? ['', '']
        : [formatDuration(javascript.median), `${(javascript.ratio * 100).toFixed(1)} %`]
      : []),
  ])
  return renderTable(
    {
      title: result.title,
      columns: [
        { header: 'way' },
        { header: 'processes', align: 'right' },
        { header: perSecond === undefined ? 'least' : 'most', align: 'right' },
        { header: 'median', align: 'right' },
        { header: '× floor', align: 'right' },
        ...(shown
          ? [
              { header: 'JavaScript', align: 'right' as const },
              { header: 'of the floor', align: 'right' as const },
            ]
          : []),
      ],
      rows,
      notes: [
        ...(perSecond === undefined ? [] : [`${perSecond} a second`]),
        ...result.notes,
        `${rounds} rounds, each way once a round; × floor is the median of the rounds' ratios`,
      ],
    },
    colour,
  )
}

export function heading(text: string): string {
  return paint(text, 'bold', wantsColour())
}

function formatRate(perSecond: number): string {
  return `${(perSecond / 1000).toFixed(1)} k`
}

function formatRatio(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)
}

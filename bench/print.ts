/** A result as a table that a person reads. */
import { formatDuration, paint, renderTable, wantsColour } from '../lab/table.js'
import type { Result } from './contest.js'

export function printResult(result: Result): string {
  const colour = wantsColour()
  const rounds = result.standings[0]?.rounds.length ?? 0
  const shown = result.standings.some(({ javascript }) => javascript !== undefined)
  const { perSecond, counted } = result
  const value = (measured: number): string => {
    if (counted !== undefined) return measured.toLocaleString('en')
    return perSecond === undefined ? formatDuration(measured) : formatRate(1e9 / measured)
  }
  const ratios = counted === undefined
  // Where no way starts any, nobody asks how many.
  const processesShown = result.standings.some(({ processes }) => processes > 0)
  const rows = result.standings.map(({ name, processes, min, median, ratio, javascript }) => [
    name.startsWith('nfbridge') ? { text: name, style: 'green' as const } : name,
    ...(processesShown ? [processes === 0 ? { text: '0', style: 'dim' as const } : String(processes)] : []),
    value(min),
    value(median),
    ...(ratios
      ? [
          name === result.floor
            ? { text: '1.00', style: 'dim' as const }
            : formatRatio(perSecond === undefined ? ratio : 1 / ratio),
        ]
      : []),
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
        ...(processesShown ? [{ header: 'processes', align: 'right' as const }] : []),
        { header: perSecond === undefined ? 'least' : 'most', align: 'right' },
        { header: 'median', align: 'right' },
        ...(ratios ? [{ header: '× floor', align: 'right' as const }] : []),
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
        `${rounds} rounds, each way once a round${ratios ? "; × floor is the median of the rounds' ratios" : ''}`,
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

/** Text tables for the demo and the benches: aligned columns, colour where somebody looks at it. */
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** A cell: its text, or its text with a style. */
export type Cell = string | { readonly text: string; readonly style: Style | readonly Style[] }

export interface Column {
  readonly header: string
  /** Default `left`; numbers read better on the `right`. */
  readonly align?: 'left' | 'right'
}

export interface Table {
  readonly title?: string
  readonly columns: readonly Column[]
  /** A row shorter than the columns is filled with empty cells; `rule` draws a line between groups of rows. */
  readonly rows: readonly (readonly Cell[] | 'rule')[]
  /** Lines in a quiet colour under the table. */
  readonly notes?: readonly string[]
}

/**
 * Whether to colour what is written to a stream: NO_COLOR (any value) forbids it, FORCE_COLOR (not 0) asks for it,
 * else a terminal gets it. See https://no-color.org.
 */
export function wantsColour(
  stream: { readonly isTTY?: boolean } = process.stdout,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (environment.NO_COLOR) return false
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== '0'
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** The text in a style, or as it is when `colour` is false. */
export function paint(text: string, style: Style | readonly Style[], colour: boolean): string {
  if (!colour || text === '') return text
  return [style].flat().reduce((painted, one) => styleText(one, painted, { validateStream: false }), text)
}

/** The table as lines, each ended by a newline. */
export function renderTable(table: Table, colour: boolean = wantsColour()): string {
  const { columns, rows } = table
  const width = (index: number): number =>
    Math.max(
      cellWidth(columns[index]?.header ?? ''),
      ...rows.map((row) => (row === 'rule' ? 0 : cellWidth(row[index] ?? ''))),
    )
  const widths = columns.map((_, index) => width(index))
  const line = (cells: readonly Cell[]): string =>
    columns
      .map((column, index) => {
        const last = index === columns.length - 1
        return padded(
          cells[index] ?? '',
          last && column.align !== 'right' ? 0 : (widths[index] ?? 0),
          column,
          colour,
        )
      })
      .join('   ')
      .trimEnd()
  const ruler = paint(widths.map((count) => '─'.repeat(count)).join('───'), 'dim', colour)
  const lines = [
    ...(table.title === undefined ? [] : [paint(table.title, 'bold', colour)]),
    line(columns.map(({ header }): Cell => ({ text: header, style: 'dim' }))),
    ruler,
    ...rows.map((row) => (row === 'rule' ? ruler : line(row))),
    ...(table.notes ?? []).map((note) => paint(note, 'dim', colour)),
  ]
  return `${lines.join('\n')}\n`
}

function padded(cell: Cell, width: number, { align }: Column, colour: boolean): string {
  const space = ' '.repeat(Math.max(0, width - cellWidth(cell)))
  const text = typeof cell === 'string' ? cell : paint(cell.text, cell.style, colour)
  return align === 'right' ? space + text : text + space
}

/** Characters, not UTF-16 units. */
function cellWidth(cell: Cell): number {
  return [...(typeof cell === 'string' ? cell : cell.text)].length
}

/** A duration that a person reads at a glance: `4.8 µs`, `1.32 ms`, `2.40 s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)} ns`
  if (nanoseconds < 1e6) return `${significant(nanoseconds / 1e3)} µs`
  if (nanoseconds < 1e9) return `${significant(nanoseconds / 1e6)} ms`
  return `${significant(nanoseconds / 1e9)} s`
}

function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

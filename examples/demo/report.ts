import { type Cell, paint, renderTable, type Table, wantsColour } from '../../lab/table.js'
import type { Attempt } from './matrix.js'
import type { Scene } from './scenes.js'

/** All that the demo saw. */
export interface DemoResult {
  readonly scenes: readonly Scene[]
  readonly cost: {
    /** Milliseconds for each attachment. */
    readonly attach: Readonly<Record<string, number>>
    readonly transactions: number
    readonly linkRequests: number
    readonly processesStarted: number
  }
  /** What is in the host's namespace that was not there before, or is there no more: empty. */
  readonly leftBehind: readonly string[]
  readonly seconds: number
  /** Whether everything that was seen is what the rules promise. */
  readonly ok: boolean
}

/** The result as a person reads it. */
export function renderResult(result: DemoResult): string {
  const colour = wantsColour()
  const parts = result.scenes.map((scene, index) => renderScene(scene, index + 1, colour))
  const verdict = result.ok
    ? paint('Everything is as the rules promise.', ['bold', 'green'], colour)
    : paint('Something is NOT as the rules promise: see the cells with ✗.', ['bold', 'red'], colour)
  return `\n${parts.join('\n')}\n${renderCost(result, colour)}\n${verdict}\n`
}

function renderScene(scene: Scene, number: number, colour: boolean): string {
  const rows = [...new Set(scene.attempts.map(({ from }) => from))]
  const columns = inOrderOf(rows, [...new Set(scene.attempts.map(({ to }) => to))])
  const table: Table = {
    title: `${number}. ${scene.title}`,
    columns: [{ header: 'from \\ to' }, ...columns.map((header) => ({ header }))],
    rows: rows.map((from) => [from, ...columns.map((to) => cell(scene.attempts, from, to))]),
    notes: [scene.call],
  }
  return `${renderTable(table, colour)}${scene.held ? renderHeld(scene.held, colour) : ''}`
}

/** Destinations in the order of the machines that try to get there; others, such as the world outside, last. */
function inOrderOf(machines: readonly string[], destinations: readonly string[]): string[] {
  const rank = (destination: string): number => {
    const place = machines.findIndex((machine) => destination.startsWith(`${machine}:`))
    return place < 0 ? machines.length : place
  }
  return destinations.toSorted((one, other) => rank(one) - rank(other))
}

function renderHeld(held: NonNullable<Scene['held']>, colour: boolean): string {
  const mark = held.kept ? paint('✓', 'green', colour) : paint('✗', 'red', colour)
  return `${mark} the open connection ${held.from} → ${held.to}: ${held.before} before, ${held.after} after\n`
}

/** Reached cells show the source address that the server saw. */
function cell(attempts: readonly Attempt[], from: string, to: string): Cell {
  const attempt = attempts.find((candidate) => candidate.from === from && candidate.to === to)
  if (!attempt) return { text: '', style: 'dim' }
  const { outcome, kept } = attempt
  const text = outcome.outcome === 'reached' ? `as ${outcome.seen}` : outcome.outcome
  if (!kept) return { text: `✗ ${text}`, style: ['bold', 'red'] }
  return outcome.outcome === 'reached' ? { text, style: 'green' } : { text: '—', style: 'dim' }
}

function renderCost({ cost, leftBehind, seconds }: DemoResult, colour: boolean): string {
  const attach = Object.entries(cost.attach).map(([name, milliseconds]): Cell[] => [
    `attach ${name}`,
    `${milliseconds.toFixed(2)} ms`,
  ])
  return renderTable(
    {
      title: 'What it cost',
      columns: [{ header: 'what' }, { header: 'how much', align: 'right' }],
      rows: [
        ...attach,
        'rule',
        ['nf_tables transactions', String(cost.transactions)],
        ['rtnetlink sends on the host', String(cost.linkRequests)],
        ['processes started', String(cost.processesStarted)],
        ['left behind in the host', leftBehind.length === 0 ? 'nothing' : leftBehind.join('; ')],
        ['the whole demo', `${seconds.toFixed(1)} s`],
      ],
    },
    colour,
  )
}

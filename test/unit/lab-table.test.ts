import { describe, expect, it } from 'vitest'
import { formatDuration, paint, renderTable, wantsColour } from '../../lab/table.js'

describe('renderTable', () => {
  it('aligns columns left and right, and leaves no space at the ends of lines', () => {
    const text = renderTable(
      {
        title: 'reach',
        columns: [{ header: 'from' }, { header: 'time', align: 'right' }, { header: 'note' }],
        rows: [
          ['web', '1.30 ms', 'ok'],
          ['database', '9 µs'],
        ],
        notes: ['2 rows'],
      },
      false,
    )
    expect(text.split('\n')).toEqual([
      'reach',
      'from          time   note',
      '─────────────────────────',
      'web        1.30 ms   ok',
      'database      9 µs',
      '2 rows',
      '',
    ])
  })

  it('aligns by what is seen, not by the escape sequences of colours', () => {
    const table = {
      columns: [{ header: 'a' }, { header: 'b' }],
      rows: [
        [{ text: 'yes', style: 'green' as const }, 'x'],
        ['never', 'y'],
      ],
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
    const withoutColours = renderTable(table, true).replaceAll(/\u001b\[\d+m/g, '')
    expect(withoutColours).toBe(renderTable(table, false))
    expect(renderTable(table, true)).toContain('\u001b[32myes\u001b[39m')
  })

  it('draws a rule between groups', () => {
    const lines = renderTable({ columns: [{ header: 'n' }], rows: [['1'], 'rule', ['2']] }, false).split('\n')
    expect(lines).toEqual(['n', '─', '1', '─', '2', ''])
  })
})

describe('wantsColour', () => {
  const terminal = { isTTY: true }
  it.each([
    ['a terminal', terminal, {}, true],
    ['a file', {}, {}, false],
    ['NO_COLOR on a terminal', terminal, { NO_COLOR: '1' }, false],
    ['NO_COLOR before FORCE_COLOR', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['FORCE_COLOR in a file', {}, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, false],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ])('%s', (_, stream, environment, expected) => {
    expect(wantsColour(stream, environment)).toBe(expected)
  })

  it('leaves text as it is without colour', () => {
    expect(paint('text', ['bold', 'red'], false)).toBe('text')
  })
})

describe('formatDuration', () => {
  it.each([
    [12, '12 ns'],
    [4_800, '4.80 µs'],
    [48_000, '48.0 µs'],
    [480_000, '480 µs'],
    [1_320_000, '1.32 ms'],
    [2_400_000_000, '2.40 s'],
  ])('%d ns is %s', (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text)
  })
})

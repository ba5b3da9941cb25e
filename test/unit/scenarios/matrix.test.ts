import { describe, expect, it } from 'vitest'
import { parseHeld } from '../../../scenarios/held.js'
import { decide, parseMatrix, type Question } from '../../../scenarios/matrix.js'

function ask(change: Partial<Question> & { machine?: string; at?: string; address?: string } = {}): Question {
  const { machine = 'web', at = 'docker0', address = '172.17.0.2', ...rest } = change
  const container = machine !== 'host'
  return {
    from: 'app',
    fromContainer: true,
    target: { machine, at, container, address },
    port: '80/tcp',
    family: 4,
    ...rest,
  }
}

describe('a row of a matrix', () => {
  it.each<[string, Question, boolean]>([
    ['* -> *', ask(), true],
    ['app -> web', ask(), true],
    ['web -> web', ask(), false],
    ['app, spy -> web, db', ask(), true],
    ['containers -> containers', ask(), true],
    ['containers -> containers', ask({ fromContainer: false, from: 'outside' }), false],
    ['app -> containers', ask({ machine: 'host' }), false],
    ['app -> web@docker0', ask(), true],
    ['app -> web@other', ask(), false],
    ['app -> host', ask({ machine: 'host' }), true],
    ['app -> host@uplink', ask({ machine: 'host' }), false],
    ['host -> localhost', ask({ from: 'host', machine: 'host', at: 'lo' }), true],
    ['app -> 172.17.0.2', ask(), true],
    ['app -> web 80/tcp', ask(), true],
    ['app -> web tcp', ask(), true],
    ['app -> web udp, 80-81/tcp', ask(), true],
    ['app -> web 81-90/tcp', ask(), false],
    ['app -> web 80/udp', ask(), false],
    ['app -> web icmp', ask({ port: 'icmp' }), true],
    ['app -> web icmp', ask(), false],
    ['app -> web (ipv6)', ask(), false],
    ['app -> web 80/tcp (ipv4)', ask(), true],
  ])('%s', (text, question, fits) => {
    expect(decide(parseMatrix(`${text}: blocked`), question) !== undefined).toBe(fits)
  })

  it('says what may come of it', () => {
    const [row] = parseMatrix('outside -> host 8080/tcp: reached web as outside | refused')
    expect(row?.outcomes).toEqual([{ kind: 'reached', server: 'web', as: 'outside' }, { kind: 'refused' }])
    expect(parseMatrix('a -> b: reached as 2001:db8::1')[0]?.outcomes).toEqual([
      { kind: 'reached', server: undefined, as: '2001:db8::1' },
    ])
  })

  it('decides before the ones below it', () => {
    const rows = parseMatrix(`
      # comments and empty lines are none

      app -> web 80/tcp: reached
      * -> *: blocked
    `)
    expect(rows).toHaveLength(2)
    expect(decide(rows, ask())?.text).toBe('app -> web 80/tcp: reached')
    expect(decide(rows, ask({ port: '81/tcp' }))?.text).toBe('* -> *: blocked')
  })

  it.each([
    'app -> web',
    'app web: blocked',
    'app -> : blocked',
    'app -> 80/tcp: blocked',
    'app -> web: closed',
    'app -> web: reached as',
    'app -> web: reached a b',
    'app -> web: blocked by us',
    'app -> web -> db: blocked',
  ])('that is none is refused: %s', (text) => {
    expect(() => parseMatrix(text)).toThrow()
  })
})

describe('what becomes of held connections', () => {
  it('is a row for each', () => {
    expect(parseHeld('app -> web 80/tcp: lives\n app -> web 53/udp (ipv6): stops')).toEqual([
      { text: 'app -> web 80/tcp', fate: 'lives' },
      { text: 'app -> web 53/udp (ipv6)', fate: 'stops' },
    ])
    expect(() => parseHeld('app -> web 80/tcp: survives')).toThrow('no fate')
  })
})

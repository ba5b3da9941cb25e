import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { elementsOf, everything } from '../../../../src/network/plan/elements.js'
import { iptablesTables, iptablesText } from '../../../../src/network/text/iptables-text.js'
import { userRule } from '../../../../src/network/text/iptables-user-rules.js'
import { hosts } from './hosts.js'
import { network, pool, view } from './view.js'

describe.each(hosts)('$title', ({ title, view, facts }) => {
  it('is printed in the manner of iptables -L -n', () => {
    const file = new URL(`./golden/${title.replaceAll(/\W+/g, '-')}.txt`, import.meta.url)
    const printed = iptablesText(view, facts)
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, printed)
    expect(existsSync(file), 'UPDATE_GOLDEN=1').toBe(true)
    expect(printed).toBe(readFileSync(file, 'utf8'))
  })

  it('has a pair of lines for each element of a link, and no other with a source port', () => {
    const rules = iptablesTables(view, facts)
      .flatMap(({ chains }) => chains)
      .filter(({ name }) => name === 'DOCKER')
      .flatMap(({ rules }) => rules)
    const lines = rules.flatMap(({ source, destination, protocol, matches = [] }) =>
      matches.flatMap((match) =>
        match.kind === 'ports' && source && destination
          ? [`${match.side} ${source.value} ${destination.value} ${protocol} ${match.first}`]
          : [],
      ),
    )
    const links = [...elementsOf(view, everything(view)).values()].filter(({ set }) => /^links6?$/.test(set))
    const expected = links.flatMap(({ key: [client, server, protocol, port] }) => [
      `destination ${client} ${server} ${protocol} ${port}`,
      `source ${server} ${client} ${protocol} ${port}`,
    ])
    expect(lines.toSorted()).toEqual(expected.toSorted())
  })
})

it('is empty where no rules are made', () => {
  const host = view({ networks: [network('docker0', [pool('172.17.0.0/16', 'docker0', '172.17.0.1')])] })
  expect(iptablesText(host, { firewall: false, userRules: { forward: [], inbound: [] } })).toBe('')
  expect(iptablesText(host, { firewall: true, userRules: { forward: [], inbound: [] } })).toContain(
    'Chain FORWARD',
  )
})

describe('a rule of a user', () => {
  const accept = { accept: null }
  const field = (protocol: 'ip' | 'ip6', name: 'saddr' | 'daddr', right: string) =>
    ({ match: { op: '==', left: { payload: { protocol, field: name } }, right } }) as const

  it('is left out of the other family', () => {
    const icmp = { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'icmp' } } as const
    for (const [statement, family] of [
      [field('ip', 'saddr', '192.0.2.1'), 6],
      [field('ip6', 'daddr', '2001:db8::1'), 4],
      [icmp, 6],
    ] as const) {
      expect(userRule({ expr: [statement, accept] }, family)).toBeUndefined()
      expect(userRule({ expr: [statement, accept] }, family === 4 ? 6 : 4)).toMatchObject({
        target: 'ACCEPT',
      })
    }
  })

  it('is there whole, as a comment, when no column says what it does', () => {
    const sets = {
      match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@admins' },
    } as const
    expect(userRule({ expr: [sets, { reject: null }], comment: 'why' }, 4)).toEqual({
      target: 'REJECT',
      matches: [{ kind: 'comment', text: 'ip saddr @admins reject comment "why"' }],
    })
  })
})

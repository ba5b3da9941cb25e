/** `toText('iptables')` against iptables itself: the same rules, made by iptables-restore in a namespace, listed by it. */
import { describe, expect, it } from 'vitest'
import type {
  IptablesMatch,
  IptablesRule,
  IptablesTable,
  Selector,
} from '../../../src/network/text/iptables-table.js'
import { listingCommand, tableText } from '../../../src/network/text/iptables-table.js'
import { iptablesTables } from '../../../src/network/text/iptables-text.js'
import { closeAfterEach, newNamespaces } from '../../support/namespaces.js'
import { runIn } from '../../support/tools.js'
import { hosts } from '../../unit/network/text/hosts.js'

const keep = closeAfterEach()

/** iptables 1.8.9 prints numbers, the versions before and after it names. */
const protocolNames: ReadonlyMap<string, string> = new Map([
  ['0', 'all'],
  ['1', 'icmp'],
  ['6', 'tcp'],
  ['17', 'udp'],
  ['58', 'icmpv6'],
  ['132', 'sctp'],
])

const named = (listing: string): string =>
  listing.replaceAll(/^(\S+ +)(\d+) +--/gm, (_, target: string, number: string) => {
    return `${target}${(protocolNames.get(number) ?? number).padEnd(4)} --`
  })

function selected(option: string, selector: Selector | undefined): string[] {
  return selector ? [...(selector.negated ? ['!'] : []), option, selector.value] : []
}

function matchArguments(match: IptablesMatch): string[] {
  switch (match.kind) {
    case 'ports':
      return [match.side === 'source' ? '--sport' : '--dport', `${match.first}:${match.last}`]
    case 'state':
      return ['-m', 'conntrack', '--ctstate', match.states.join(',')]
    case 'local':
      return ['-m', 'addrtype', match.side === 'source' ? '--src-type' : '--dst-type', 'LOCAL']
    case 'icmpv6':
      return ['--icmpv6-type', `${match.type}`]
    case 'comment':
      return ['-m', 'comment', '--comment', JSON.stringify(match.text)]
  }
}

function ruleArguments(chain: string, rule: IptablesRule): string {
  const { target, protocol, input, output, source, destination, matches = [], to } = rule
  return [
    ...['-A', chain],
    ...selected('-s', source),
    ...selected('-d', destination),
    ...selected('-i', input),
    ...selected('-o', output),
    ...(protocol ? ['-p', protocol] : []),
    ...matches.flatMap(matchArguments),
    ...(target ? ['-j', target] : []),
    ...(to === undefined ? [] : [target === 'SNAT' ? '--to-source' : '--to-destination', to]),
  ].join(' ')
}

function restoreInput({ name, chains }: IptablesTable): string {
  return [
    `*${name}`,
    ...chains.map((chain) => `:${chain.name} ${chain.policy ?? '-'}`),
    ...chains.flatMap((chain) => chain.rules.map((rule) => ruleArguments(chain.name, rule))),
    'COMMIT\n',
  ].join('\n')
}

describe.each(hosts)('$title', ({ view, facts }) => {
  it.each(iptablesTables(view, facts))(
    'is what ip(6)tables prints of table $name (IPv$family)',
    async (table) => {
      const [space] = await newNamespaces(keep, 1)
      if (!space) throw new Error('no namespace')
      const program = table.family === 4 ? 'iptables' : 'ip6tables'
      await runIn(space, `${program}-restore`, [], restoreInput(table))
      const [, ...options] = listingCommand(table).split(' ')
      const theirs = await runIn(space, program, options)
      expect(`${tableText(table)}\n`).toBe(named(theirs))
    },
  )
})

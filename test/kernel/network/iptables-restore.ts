/** The tables that `toText('iptables')` prints, as iptables-restore reads them: with the interfaces, which `-L` does not show. */
import type {
  IptablesMatch,
  IptablesRule,
  IptablesTable,
  Selector,
} from '../../../src/network/text/iptables-table.js'

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
    case 'bridged':
      return ['-m', 'physdev', '--physdev-is-bridged']
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

/** The input of `iptables-restore` or `ip6tables-restore`. */
export function restoreInput({ name, chains }: IptablesTable): string {
  return [
    `*${name}`,
    ...chains.map((chain) => `:${chain.name} ${chain.policy ?? '-'}`),
    ...chains.flatMap((chain) => chain.rules.map((rule) => ruleArguments(chain.name, rule))),
    'COMMIT\n',
  ].join('\n')
}

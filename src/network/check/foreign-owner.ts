/** Whose a chain is, by the names that programs give to theirs; and how each is told to let a bridge be. */
import type { Catalog, RulePlace, Step } from '../../explain/index.js'
import { type Acceptance, iptablesText, nftText } from './acceptance.js'

export type Owner = 'Docker' | 'ufw' | 'firewalld' | 'iptables'

/** @returns undefined for a table that looks like nobody's we know */
export function ownerOf({ family, table, chain }: Step | RulePlace, catalog: Catalog): Owner | undefined {
  const has = (name: string): boolean => catalog.chain({ family, table }, name) !== undefined
  if (table === 'firewalld') return 'firewalld'
  if (table === 'docker-bridges') return 'Docker'
  if (!['ip', 'ip6'].includes(family) || !['filter', 'nat', 'raw', 'mangle'].includes(table)) return undefined
  if (/^ufw6?-/.test(chain) || has('ufw-before-forward') || has('ufw6-before-forward')) {
    return chain.startsWith('DOCKER') ? 'Docker' : 'ufw'
  }
  if (chain.startsWith('DOCKER') || has('DOCKER-USER') || has('DOCKER')) return 'Docker'
  return chain === chain.toUpperCase() ? 'iptables' : undefined
}

/** Commands, in the words of the program whose rules they are, that let our traffic pass before they decide. */
export function remedyFor(
  owner: Owner | undefined,
  step: Step | RulePlace,
  bridges: readonly string[],
  acceptances: readonly Acceptance[],
): string {
  const { family, table, chain } = step
  const commands = (each: readonly string[]): string => `\`${[...new Set(each)].join(' && ')}\``
  const iptables = family === 'ip6' ? 'ip6tables' : 'iptables'
  if (owner === 'Docker' && table === 'filter')
    return commands(acceptances.map((each) => `${iptables} -I DOCKER-USER ${iptablesText(each)} -j ACCEPT`))
  if (owner === 'ufw' && table === 'filter')
    return commands(
      bridges.flatMap((bridge) => [`ufw route allow in on ${bridge}`, `ufw route allow out on ${bridge}`]),
    )
  if (owner === 'firewalld')
    return commands([
      ...bridges.map((bridge) => `firewall-cmd --permanent --zone=trusted --add-interface=${bridge}`),
      'firewall-cmd --reload',
    ])
  if (owner !== undefined && table !== 'docker-bridges') {
    const of = table === 'filter' ? '' : `-t ${table} `
    return commands(acceptances.map((each) => `${iptables} ${of}-I ${chain} ${iptablesText(each)} -j ACCEPT`))
  }
  return commands(
    acceptances.map((each) => `nft insert rule ${family} ${table} ${chain} ${nftText(each)} accept`),
  )
}

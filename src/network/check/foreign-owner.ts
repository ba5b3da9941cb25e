/** Whose a chain is, by the names that programs give to theirs; and how each is told to let a bridge be. */
import type { Catalog, RulePlace, Step } from '../../explain/index.js'

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

/** One command for each program, that lets everything to and from the bridges pass. */
export function remedyFor(
  owner: Owner | undefined,
  step: Step | RulePlace,
  bridges: readonly string[],
): string {
  const { family, table, chain } = step
  const each = (command: (bridge: string) => readonly string[]): string =>
    `\`${bridges.flatMap(command).join(' && ')}\``
  const iptables = family === 'ip6' ? 'ip6tables' : 'iptables'
  if (owner === 'Docker' && table === 'filter')
    return each((bridge) => [
      `${iptables} -I DOCKER-USER -i ${bridge} -j ACCEPT`,
      `${iptables} -I DOCKER-USER -o ${bridge} -j ACCEPT`,
    ])
  if (owner === 'ufw')
    return each((bridge) => [`ufw route allow in on ${bridge}`, `ufw route allow out on ${bridge}`])
  if (owner === 'firewalld')
    return each((bridge) => [`firewall-cmd --permanent --zone=trusted --add-interface=${bridge}`]).replace(
      /`$/,
      ' && firewall-cmd --reload`',
    )
  if (owner === 'iptables' && table === 'filter')
    return each((bridge) => [
      `${iptables} -I ${chain} -i ${bridge} -j ACCEPT`,
      `${iptables} -I ${chain} -o ${bridge} -j ACCEPT`,
    ])
  return each((bridge) => [
    `nft insert rule ${family} ${table} ${chain} iifname "${bridge}" accept`,
    `nft insert rule ${family} ${table} ${chain} oifname "${bridge}" accept`,
  ])
}

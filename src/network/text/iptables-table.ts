/**
 * The vocabulary of iptables, and its listing to the column: what `iptables -L -n` of iptables 1.8 prints, with protocols by
 * name (1.8.9 alone prints their numbers).
 */

export type IptablesProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6'

/** An address, a subnet or an interface that a packet has, or has not. */
export interface Selector {
  readonly value: string
  readonly negated: boolean
}

/** A match beyond the columns. */
export type IptablesMatch =
  | {
      readonly kind: 'ports'
      readonly side: 'source' | 'destination'
      readonly first: number
      readonly last: number
    }
  | { readonly kind: 'state'; readonly states: readonly string[] }
  | { readonly kind: 'local'; readonly side: 'source' | 'destination' }
  | { readonly kind: 'icmpv6'; readonly type: number }
  /** From one port of a bridge to another, and not by the host's routes. */
  | { readonly kind: 'bridged' }
  | { readonly kind: 'comment'; readonly text: string }

export interface IptablesRule {
  /** A verdict, or the chain that is jumped to; none: the rule only counts. */
  readonly target?: string
  readonly protocol?: IptablesProtocol
  /** Interfaces; `iptables -L` without `-v` does not print them. */
  readonly input?: Selector
  readonly output?: Selector
  readonly source?: Selector
  readonly destination?: Selector
  readonly matches?: readonly IptablesMatch[]
  /** Where DNAT and SNAT translate to: `172.17.0.2:80`. */
  readonly to?: string
}

export interface IptablesChain {
  readonly name: string
  /** Of a chain of the kernel; chains of users have none. */
  readonly policy?: 'ACCEPT' | 'DROP'
  readonly rules: readonly IptablesRule[]
}

/** One table of one family, and the command that lists it. */
export interface IptablesTable {
  readonly family: 4 | 6
  readonly name: 'filter' | 'nat' | 'raw'
  readonly chains: readonly IptablesChain[]
}

/** The command whose print {@link tableText} is. */
export function listingCommand({ family, name }: IptablesTable): string {
  const program = family === 4 ? 'iptables' : 'ip6tables'
  return name === 'filter' ? `${program} -L -n` : `${program} -t ${name} -L -n`
}

/** A table as `iptables -t <name> -L -n` prints it, without the last line feed. */
export function tableText({ family, chains }: IptablesTable): string {
  return chains
    .map((chain) => {
      const rules = chain.rules.map((rule) => ruleText(rule, family))
      return [`Chain ${chain.name} (${chainNote(chain, chains)})`, COLUMNS, ...rules].join('\n')
    })
    .join('\n\n')
}

const COLUMNS = 'target     prot opt source               destination         '

function chainNote({ name, policy }: IptablesChain, chains: readonly IptablesChain[]): string {
  if (policy !== undefined) return `policy ${policy}`
  const jumps = chains.flatMap(({ rules }) => rules).filter(({ target }) => target === name)
  return `${jumps.length} references`
}

function ruleText(rule: IptablesRule, family: 4 | 6): string {
  const { target = '', protocol = 'all', source, destination, matches = [], to } = rule
  const columns = `${target.padEnd(9)}  ${protocol.padEnd(4)} --`
  const addresses = `${addressText(source, family)} ${addressText(destination, family)}`
  const rest = matches.map((match) => ` ${matchText(match, protocol)}`)
  return `${columns} ${addresses} ${rest.join('')}${to === undefined ? '' : ` to:${to}`}`
}

function addressText(selector: Selector | undefined, family: 4 | 6): string {
  const { value, negated } = selector ?? { value: family === 4 ? '0.0.0.0/0' : '::/0', negated: false }
  return `${negated ? '!' : ' '}${value.padEnd(19)}`
}

function matchText(match: IptablesMatch, protocol: string): string {
  switch (match.kind) {
    case 'ports': {
      const { side, first, last } = match
      const name = `${side === 'source' ? 's' : 'd'}pt`
      return first === last ? `${protocol} ${name}:${first}` : `${protocol} ${name}s:${first}:${last}`
    }
    case 'state':
      return `ctstate ${match.states.join(',')}`
    case 'local':
      return `ADDRTYPE match ${match.side === 'source' ? 'src' : 'dst'}-type LOCAL`
    case 'icmpv6':
      return `ipv6-icmptype ${match.type}`
    case 'bridged':
      return 'PHYSDEV match --physdev-is-bridged'
    case 'comment':
      return `/* ${match.text} */`
  }
}

/** What an equality establishes about the packet's protocols. */
import { readNumber } from '../datatype/index.js'
import type { Part } from './operand.js'
import { type Fact, type NetworkHeader, type Protocols, serviceVlanType, vlanType } from './protocols.js'

/** NFPROTO_* (linux/netfilter.h) */
const byNfproto: ReadonlyMap<number, NetworkHeader> = new Map([
  [2, 'ip'],
  [10, 'ip6'],
])
/** ETH_P_* (linux/if_ether.h) */
const byEtherType: ReadonlyMap<number, NetworkHeader> = new Map([
  [0x0800, 'ip'],
  [0x86dd, 'ip6'],
  [0x0806, 'arp'],
])
/** ARPHRD_ETHER (linux/if_arp.h) */
const etherInterface = 1

/** The fact that `part == bytes` is, if it is about protocols. */
export function factOf(part: Part, bytes: Uint8Array, protocols: Protocols): Fact | undefined {
  const { expression } = part
  if (bytes.length > 4 || typeof expression !== 'object') return undefined
  const number = Number(readNumber(bytes, 0, bytes.length, part.order))
  if ('meta' in expression) return metaFact(expression.meta.key, number)
  if ('payload' in expression && 'protocol' in expression.payload) {
    const { protocol, field } = expression.payload
    return fieldFact(protocol, field, number, protocols)
  }
  return undefined
}

function metaFact(key: string, number: number): Fact | undefined {
  switch (key) {
    case 'nfproto': {
      const header = byNfproto.get(number)
      return header && { layer: 'network', header, selector: 'nfproto' }
    }
    case 'protocol': {
      const header = byEtherType.get(number)
      return header && { layer: 'network', header, selector: 'protocol' }
    }
    case 'l4proto':
      return { layer: 'transport', protocol: number, selector: 'l4proto' }
    case 'iiftype':
    case 'oiftype':
      return number === etherInterface ? { layer: 'link', header: 'ether' } : undefined
    default:
      return undefined
  }
}

function fieldFact(protocol: string, field: string, number: number, protocols: Protocols): Fact | undefined {
  switch (`${protocol} ${field}`) {
    case 'ether type':
    case 'vlan type': {
      if (number === vlanType || number === serviceVlanType) {
        const isKnown = protocol === 'ether' && protocols.tags > 0
        return isKnown ? undefined : { layer: 'vlan', type: number }
      }
      const header = byEtherType.get(number)
      return header && { layer: 'network', header, selector: protocol === 'vlan' ? 'vlan' : 'ether' }
    }
    case 'ip protocol':
    case 'ip6 nexthdr':
      return { layer: 'transport', protocol: number, selector: 'header' }
    case 'icmp type':
    case 'icmpv6 type':
      return protocols.transport === undefined ? undefined : { layer: 'icmp', types: [number] }
    default:
      return undefined
  }
}

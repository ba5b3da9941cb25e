import type { RuleGroup } from './nft-list-lines.js'

/** A table with what the lines refer to, and the lines in one chain. */
export function tableWith(group: Pick<RuleGroup, 'family' | 'hook' | 'lines' | 'objects'>): string {
  return `table ${group.family} t {
    counter c1 { }
    quota q1 { over 5 mbytes }
    limit l1 { rate 5/second }
    set ipset { type ipv4_addr; }
    set n { type ifname; }
    set bridges { type ifname; }
    set portset { type inet_service; }
    set concatset { type ipv4_addr . ipv4_addr . inet_service; }
    set dynset { type ipv4_addr; flags dynamic,timeout; size 1000; }
    map dynmap { type ipv4_addr : mark; flags dynamic; size 1000; }
    map mcnt { type ipv4_addr : counter; }
    ${(group.objects ?? '').replaceAll('; }', ';\n}').replaceAll('; ', ';\n')}
    map nets { type ipv4_addr : interval ipv4_addr; flags interval; }
    map portvmap { type inet_service : verdict; }
    map publish { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }
    map pub2 { type ipv4_addr . inet_service : ipv4_addr . inet_service; }
    chain c1 { }
    chain i {
      ${group.hook}
      ${group.lines.join('\n      ')}
    }
  }`
}

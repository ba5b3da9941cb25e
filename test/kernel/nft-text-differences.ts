/** Where our text is not that of nft 1.0.6, and why. */
export interface TextDifference {
  readonly family: string
  readonly line: string
  readonly why: string
}

const all = (family: string, why: string, ...lines: readonly string[]): TextDifference[] =>
  lines.map((line) => ({ family, line, why }))

export const differences: readonly TextDifference[] = [
  ...all('inet', 'nft prints how the field is moved within the register', 'ip dscp . tcp dport { cs1 . 80 }'),
  ...all(
    'bridge',
    'nft leaves out the type in the header, and makes again a rule that sees through VLAN tags',
    'ether type ip ip saddr 1.1.1.1',
  ),
  ...all(
    'inet',
    'nft does not find the field in the two bytes that are written together',
    'icmp type set echo-reply',
    'icmp code set 0',
    'icmpv6 type set echo-reply',
    'icmpv6 code set 1',
  ),
  ...all('inet', 'nft prints what the field implies as well', 'vlan type ip'),
  ...all('bridge', 'nft prints what the field implies as well', 'vlan type ip6'),
  ...all('inet', 'nft prints options that are not there', 'synproxy mss 1460', 'synproxy wscale 5 sack-perm'),
  ...all('ip', 'nft prints an option that is not there', 'synproxy mss 1460 timestamp'),
  ...all('inet', 'nft loses the port', 'meta l4proto tcp tproxy to :tcp dport map @mp'),
  ...all(
    'inet',
    'a rule does not tell the type of what the map gives: nft looks it up and prints a mark',
    'add @dynmap { ip saddr : 5 }',
    'update @dynmap { ip saddr : 5 }',
    'delete @dynmap { ip saddr : 5 }',
  ),
  ...all('ip', 'nft prints a wrong address', 'ct reply daddr 10.0.0.0/8'),
  ...all(
    'ip',
    'nft says the family, which is that of the table',
    'snat prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }',
    'snat to ip saddr map { 10.141.11.4 : 192.168.2.2-192.168.2.4 }',
  ),
  ...all(
    'inet',
    'the bytes of the field are shifted as they stand in the packet: for that there are no words',
    'ip6 dscp @ds',
    'ip6 dscp . tcp dport { cs1 . 80, af11 . 443 }',
    'ip6 dscp . tcp dport { cs1 . 80-90 }',
    'frag frag-off . frag more-fragments { 300 . 1 }',
  ),
  ...all('inet', 'nft prints a space at the end of a line', 'synproxy s { mss 1460; wscale 7; timestamp; }'),
]

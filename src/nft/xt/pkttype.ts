/** `pkttype`: linux/netfilter/xt_pkttype.h. */
import type { XtPkttype } from '../model/index.js'
import { equals, option, type XtExtension } from './codec.js'
import { structure, u32 } from './layout.js'

const info = structure(8, { type: u32(0), invert: u32(4) })
/** PACKET_HOST … of linux/if_packet.h; iptables calls the first `unicast`. */
const names = ['unicast', 'broadcast', 'multicast'] as const

export const pkttype: XtExtension<XtPkttype> = {
  codecs: [
    {
      rev: 0,
      size: info.size,
      read: (bytes) => {
        const { type, invert } = info.read(bytes)
        return { 'pkt-type': { value: type, ...(invert !== 0 && { inv: true }) } }
      },
      write: ({ 'pkt-type': { value, inv } }) => info.write({ type: value, invert: inv ? 1 : 0 }),
    },
  ],
  text: ({ 'pkt-type': { value, inv } }) => option('pkt-type', names[value] ?? String(value), inv),
  meaning: ({ 'pkt-type': { value, inv } }) => [equals({ meta: { key: 'pkttype' } }, value, inv)],
}

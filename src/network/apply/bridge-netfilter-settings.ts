/**
 * The settings of a namespace by which the frames of all of its bridges pass the rules of IP and ARP; there as soon as br_netfilter is
 * loaded. In the order of the numbers that they have in the set `inherited`, which are never given anew.
 */
export const BRIDGE_NETFILTER: readonly string[] = [
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.bridge.bridge-nf-call-arptables',
]

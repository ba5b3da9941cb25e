/** What `host.check` finds. */

/** What is wrong, by a name that stays the same. */
export type FindingCode =
  /** A base chain of another program drops what ours lets pass. */
  | 'foreign-chain-drops'
  /** A rule of another program is not understood, and what stands hangs on it. */
  | 'foreign-rule-unknown'
  /** Another program's rules keep neighbour discovery (IPv6) from the host. */
  | 'neighbour-discovery-dropped'
  /** Our forward policy drops what the host forwards for another program, or will. */
  | 'policy-drops-foreign'
  /** Another program's rule takes what is for containers out of connection tracking. */
  | 'foreign-notrack'
  /** There are tables of the former iptables (not nf_tables) in the kernel, whose rules can't be read here. */
  | 'legacy-iptables'
  /** What a tracked network passes between containers meets no rule: the module is not loaded, or not asked for by a bridge. */
  | 'br-netfilter-missing'
  | 'br-netfilter-off'
  /** A rule of the users sees nothing of what it can concern, which stays on a bridge. */
  | 'user-rules-unseen'
  | 'forwarding-off'
  /** rp_filter drops what containers or peers send. */
  | 'rp-filter-drops'
  /** A route of the host, or a rule that leads to another table, takes what is for a network, or for a peer. */
  | 'pool-shadowed'
  | 'peer-shadowed'
  | 'peer-route-gone'
  /** A rule of the routing policy leads what is for containers to another table. */
  | 'traffic-misrouted'
  /** What comes in by one uplink is answered by another. */
  | 'answers-elsewhere'
  /** The host does not reach published ports by 127.0.0.1. */
  | 'route-localnet-off'
  /** An address that a network sends under, or that a port is published on, and that the host has no longer. */
  | 'snat-address-gone'
  | 'published-address-gone'
  /** An interface that is trusted, and that there is not. */
  | 'trusted-interface-missing'
  /** What stands does not come about, for a reason that no other finding tells. */
  | 'traffic-stopped'
  | 'bridge-gone'
  | 'bridge-down'
  | 'gateway-gone'
  /** A bridge has other settings than it was made with. */
  | 'bridge-changed'
  /** A container's interface on the host. */
  | 'port-gone'
  | 'port-down'
  | 'port-elsewhere'
  | 'port-changed'
  /** What the bridge and the host were told of a container: its MAC address, and the port that it is behind. */
  | 'station-changed'
  /** NetworkManager or systemd-networkd manages an interface of ours. */
  | 'interface-managed'
  /** The container's own end of it is down. */
  | 'interface-down'
  /** The container's own end has lost its address. */
  | 'address-gone'
  /** A container has more in its namespace than is read of it. */
  | 'inside-too-large'
  | 'tables-gone'
  | 'rules-changed'
  | 'elements-gone'
  | 'elements-foreign'
  /** Another program listens on a published port of the host. */
  | 'port-unreserved'
  /** A hosts file that could not be written does not say what it should. */
  | 'hosts-file-unwritten'
  | 'backlog-small'
  | 'conntrack-full'
  /** A container met the limit of its connections; the kernel can't count them. */
  | 'connections-refused'
  | 'connections-uncounted'
  /** The kernel is too old for a limit of what a container can fill. */
  | 'limit-unsupported'

export interface Finding {
  readonly code: FindingCode
  /** `error`: something does not work, or is open that should not be; `warning`: it may come to that. */
  readonly severity: 'error' | 'warning'
  /** What it is about: the name of a bridge, an interface, a container, a setting, a chain. */
  readonly subject: string
  readonly message: string
  /** What mends it; commands are between backticks. */
  readonly remedy: string
}

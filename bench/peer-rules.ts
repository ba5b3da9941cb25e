/** The rules that other programs make for containers on docker0 (172.17.0.0/16), as texts for their own tools. */

export type Protocol = 'udp' | 'tcp'

/** What comes for this port of the host goes to the container's port. */
export interface Publication {
  readonly hostPort: number
  readonly address: string
  readonly port: number
  readonly protocol: Protocol
}

const subnet = '172.17.0.0/16'
const bridge = 'docker0'

/** So many ports of the host after `port`, each of a container that nobody speaks to. */
export function otherPublications(count: number, port: number, protocol: Protocol): Publication[] {
  return Array.from({ length: count }, (_, number) => ({
    hostPort: port + 1 + number,
    address: `172.17.${10 + (number >> 8)}.${number & 255}`,
    port,
    protocol,
  }))
}

/** Nothing but connection tracking, and the translation that the way needs; for `nft -f`. */
export function minimalNat(uplink: string, { hostPort, address, port, protocol }: Publication): string {
  return `table inet minimal {
  chain forward { type filter hook forward priority filter; ct state established accept; }
  chain prerouting { type nat hook prerouting priority dstnat; iifname "${uplink}" ${protocol} dport ${hostPort} dnat ip to ${address}:${port}; }
  chain postrouting { type nat hook postrouting priority srcnat; oifname "${uplink}" ip saddr ${subnet} masquerade; }
}
`
}

/** Docker Engine's with its proxy processes off, each container with a published port; for `iptables-restore`. */
export function dockerRules(publications: readonly Publication[]): string {
  const filter = publications.map(
    ({ address, port, protocol }) =>
      `-A DOCKER -d ${address}/32 ! -i ${bridge} -o ${bridge} -p ${protocol} -m ${protocol} --dport ${port} -j ACCEPT`,
  )
  const masquerade = publications.map(
    ({ address, port, protocol }) =>
      `-A POSTROUTING -s ${address}/32 -d ${address}/32 -p ${protocol} -m ${protocol} --dport ${port} -j MASQUERADE`,
  )
  const translation = publications.map(
    ({ hostPort, address, port, protocol }) =>
      `-A DOCKER ! -i ${bridge} -p ${protocol} -m ${protocol} --dport ${hostPort} -j DNAT --to-destination ${address}:${port}`,
  )
  return `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o ${bridge} -j DOCKER
-A FORWARD -i ${bridge} ! -o ${bridge} -j ACCEPT
-A FORWARD -i ${bridge} -o ${bridge} -j ACCEPT
${filter.join('\n')}
-A DOCKER-ISOLATION-STAGE-1 -i ${bridge} ! -o ${bridge} -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o ${bridge} -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s ${subnet} ! -o ${bridge} -j MASQUERADE
${masquerade.join('\n')}
-A DOCKER -i ${bridge} -j RETURN
${translation.join('\n')}
COMMIT
`
}

/** What netavark makes, with isolation as by default; for `nft -f`. */
export function netavarkRules(publications: readonly Publication[]): string {
  const own = publications.map(
    ({ hostPort, address, port, protocol }, number) => `  chain nv_dnat_${number} {
    ip saddr ${subnet} ${protocol} dport ${hostPort} jump NETAVARK-HOSTPORT-SETMARK
    ip saddr 127.0.0.1 ${protocol} dport ${hostPort} jump NETAVARK-HOSTPORT-SETMARK
    ${protocol} dport ${hostPort} dnat ip to ${address}:${port}
  }`,
  )
  const jumps = publications.map(
    ({ hostPort, protocol }, number) => `    ${protocol} dport ${hostPort} jump nv_dnat_${number}`,
  )
  return `table inet netavark {
  chain NETAVARK-HOSTPORT-SETMARK { meta mark set meta mark or 0x2000; }
${own.join('\n')}
  chain NETAVARK-HOSTPORT-DNAT {
${jumps.join('\n')}
  }
  chain NETAVARK-ISOLATION-1 { }
  chain nv_subnet {
    ip daddr ${subnet} accept
    ip daddr != 224.0.0.0/4 masquerade
  }
  chain INPUT {
    type filter hook input priority filter; policy accept;
    ip saddr ${subnet} meta l4proto { tcp, udp } th dport 53 accept
  }
  chain FORWARD {
    type filter hook forward priority filter; policy accept;
    ct state invalid drop
    jump NETAVARK-ISOLATION-1
    ip daddr ${subnet} ct state established,related accept
    ip saddr ${subnet} accept
  }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump NETAVARK-HOSTPORT-DNAT
  }
  chain OUTPUT {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump NETAVARK-HOSTPORT-DNAT
  }
  chain POSTROUTING {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & 0x2000 == 0x2000 masquerade
    ip saddr ${subnet} jump nv_subnet
  }
}
`
}

/** How many linear rules, and for which way. */
export interface Linear {
  readonly count: number
  readonly direction: 'within' | 'out' | 'in'
  /** Whether the packets of connections that stand are accepted before all those rules, or after. */
  readonly established: 'first' | 'last'
  readonly uplink: string
  readonly client: string
  readonly server: string
  readonly port: number
}

/** A rule for each container, the measured one's last, and a translation for each; for `iptables-restore`. */
export function linearRules(linear: Linear): string {
  const { count, direction, established, uplink, client, server, port } = linear
  const others = Array.from({ length: count - 1 }, (_, number) => ({
    address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
    hostPort: port + 1 + number,
  }))
  const containers = [...others, { address: direction === 'in' ? server : client, hostPort: port }]
  const dport = `-p udp -m udp --dport`
  const each = {
    within: {
      filter: containers.map(({ address }) => `-s ${address}/32 -d ${server}/32 ${dport} ${port} -j ACCEPT`),
      translation: [],
    },
    out: {
      filter: containers.map(({ address }) => `-s ${address}/32 -o ${uplink} -j ACCEPT`),
      translation: containers.map(
        ({ address }) => `-A POSTROUTING -s ${address}/32 -o ${uplink} -j MASQUERADE`,
      ),
    },
    in: {
      filter: containers.map(({ address }) => `-d ${address}/32 -i ${uplink} ${dport} ${port} -j ACCEPT`),
      translation: containers.map(
        ({ address, hostPort }) =>
          `-A PREROUTING -i ${uplink} ${dport} ${hostPort} -j DNAT --to-destination ${address}:${port}`,
      ),
    },
  }[direction]
  const accepted = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
  const forward = established === 'first' ? [accepted, ...each.filter] : [...each.filter, accepted]
  return `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
${forward.map((words) => `-A FORWARD ${words}`).join('\n')}
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${each.translation.join('\n')}
COMMIT
`
}

/**
 * What Docker does for its bridges, in nf_tables: bridges are closed to each other and to the outside, ports are published
 * by translation, containers go out with the host's address. Nothing here is a rule for a container: what comes and goes
 * with containers is elements of sets and maps.
 */
import {
  concat,
  masquerade,
  match,
  nat,
  network,
  type RulesetObject,
  table,
  verdict,
  vmap,
} from 'nfbridge/nft'
import { run } from './run.js'

export interface Bridge {
  /** The interface's name. */
  readonly name: string
  readonly subnet: string
  /** Whether its containers reach each other; default true. With `false` by links only. */
  readonly icc?: boolean
}

/** `docker run -p 8080:80` */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp'
  readonly hostPort: number
  readonly address: string
  readonly port: number
}

/** `docker run --link`: the client may use one port of the server. */
export interface Link {
  readonly client: string
  readonly server: string
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
}

export interface DockerBridgeOptions {
  readonly bridges: readonly Bridge[]
  readonly published?: readonly PublishedPort[]
  readonly links?: readonly Link[]
}

export function firewall({ bridges, published = [], links = [] }: DockerBridgeOptions): RulesetObject[] {
  const docker = table('ip', 'docker')
  const names = bridges.map(({ name }) => name)
  const endpoint = ['inet_proto', 'inet_service'] as const
  const port = concat(match.meta.l4proto, match.th.dport)
  const toContainer = nat.dnat({ family: 'ip', map: { key: port, data: '@published' } })
  const answers = vmap(match.ct.state, {
    established: verdict.accept(),
    related: verdict.accept(),
    invalid: verdict.drop(),
  })
  return [
    docker.table({ comment: 'bridges of containers' }),
    docker.chain('user', { comment: "the users' own rules: DOCKER-USER" }),
    docker.chain('linked', { comment: 'between containers of a bridge with icc=false' }),
    docker.chain('isolation', { comment: 'what leaves a bridge' }),
    docker.set('bridges', { type: 'ifname', elem: names }),
    docker.set('subnets', {
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: bridges.map(({ subnet }) => network(subnet)),
    }),
    docker.set('links', {
      type: ['ipv4_addr', 'ipv4_addr', ...endpoint],
      comment: 'client, server, port',
      elem: links.map(({ client, server, protocol, port }) => ({ concat: [client, server, protocol, port] })),
    }),
    docker.map('published', {
      type: endpoint,
      map: ['ipv4_addr', 'inet_service'],
      elem: published.map(({ protocol, hostPort, address, port }) => [
        { concat: [protocol, hostPort] },
        { concat: [address, port] },
      ]),
    }),
    docker.map('same_bridge', {
      type: ['ifname', 'ifname'],
      map: 'verdict',
      elem: bridges.map(({ name, icc = true }) => [
        { concat: [name, name] },
        icc ? verdict.accept() : verdict.goto('linked'),
      ]),
    }),

    docker.chain('forward', { type: 'filter', hook: 'forward', prio: 'filter' }),
    docker.rule('forward', verdict.jump('user')),
    docker.rule('forward', answers),
    docker.rule(
      { chain: 'forward', comment: 'published ports, from wherever' },
      match.oifname.inSet('bridges'),
      match.ct.status.in('dnat'),
      verdict.accept(),
    ),
    docker.rule('forward', vmap(concat(match.iifname, match.oifname), '@same_bridge')),
    docker.rule('forward', match.iifname.inSet('bridges'), verdict.goto('isolation')),
    docker.rule('forward', match.oifname.inSet('bridges'), verdict.drop()),
    docker.rule('isolation', match.oifname.inSet('bridges'), verdict.drop()),
    docker.rule('isolation', verdict.accept()),
    docker.rule(
      'linked',
      concat(match.ip.saddr, match.ip.daddr, match.meta.l4proto, match.th.dport).inSet('links'),
      verdict.accept(),
    ),
    docker.rule('linked', verdict.drop()),

    docker.chain('prerouting', { type: 'nat', hook: 'prerouting', prio: 'dstnat' }),
    docker.rule('prerouting', match.fib.type('daddr').eq('local'), toContainer),
    docker.chain('output', { type: 'nat', hook: 'output', prio: -100 }),
    docker.rule('output', match.fib.type('daddr').eq('local'), match.ip.daddr.ne('127.0.0.0/8'), toContainer),
    docker.chain('postrouting', { type: 'nat', hook: 'postrouting', prio: 'srcnat' }),
    docker.rule(
      'postrouting',
      match.ip.saddr.inSet('subnets'),
      match.oifname.notInSet('bridges'),
      masquerade(),
    ),
    docker.rule(
      { chain: 'postrouting', comment: 'a published port used from within: answers have to come back here' },
      match.ip.saddr.inSet('subnets'),
      match.oifname.inSet('bridges'),
      match.ct.status.in('dnat'),
      masquerade(),
    ),
  ]
}

await run(import.meta, () =>
  firewall({
    bridges: [
      { name: 'docker0', subnet: '172.17.0.0/16' },
      { name: 'br-closed', subnet: '172.18.0.0/16', icc: false },
    ],
    published: [{ protocol: 'tcp', hostPort: 8080, address: '172.17.0.2', port: 80 }],
    links: [{ client: '172.18.0.2', server: '172.18.0.3', protocol: 'tcp', port: 5432 }],
  }),
)

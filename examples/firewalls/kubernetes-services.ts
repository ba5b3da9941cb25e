/**
 * What kube-proxy does, in its nf_tables mode: one lookup finds a service by its address and port, however many there are;
 * its chain picks an endpoint at random, or by the client's address. What comes from outside of the pods' network is
 * masqueraded, so that answers come back through this node.
 */
import {
  concat,
  jhash,
  mangle,
  masquerade,
  match,
  nat,
  numgen,
  type RulesetObject,
  reject,
  table,
  verdict,
  vmap,
} from 'nfbridge/nft'
import { run } from './run.js'

export interface Service {
  readonly name: string
  readonly clusterAddress: string
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  /** A port of every node that leads to the service too. */
  readonly nodePort?: number
  /** `client`: one client stays with one endpoint. */
  readonly affinity?: 'client'
  readonly endpoints: readonly { readonly address: string; readonly port: number }[]
}

export interface KubernetesOptions {
  readonly podNetwork: string
  readonly services: readonly Service[]
}

/** The bit of the packet's mark that asks for masquerading. */
const MASQUERADE = 0x4000

const kube = table('ip', 'kubernetes')
const serviceType = ['ipv4_addr', 'inet_proto', 'inet_service'] as const
const servicePort = concat(match.ip.daddr, match.meta.l4proto, match.th.dport)

export function firewall({ podNetwork, services }: KubernetesOptions): RulesetObject[] {
  const served = services.filter(({ endpoints }) => endpoints.length > 0)
  const idle = services.filter(({ endpoints }) => endpoints.length === 0)
  return [
    kube.table({ comment: 'services' }),
    kube.chain('masquerade_later'),
    kube.rule('masquerade_later', mangle(match.meta.mark, match.meta.mark.or(MASQUERADE))),
    ...served.flatMap((service) => serviceChains(service, podNetwork)),

    kube.map('services', {
      type: serviceType,
      map: 'verdict',
      elem: served.map((service) => [serviceKey(service), verdict.goto(`service_${service.name}`)]),
    }),
    kube.map('node_ports', {
      type: ['inet_proto', 'inet_service'],
      map: 'verdict',
      elem: served.flatMap(({ name, protocol, nodePort }) =>
        nodePort === undefined
          ? []
          : [[{ concat: [protocol, nodePort] }, verdict.goto(`external_${name}`)] as const],
      ),
    }),
    kube.set('without_endpoints', { type: serviceType, elem: idle.map(serviceKey) }),

    kube.chain('find_service'),
    kube.rule('find_service', vmap(servicePort, '@services')),
    kube.rule(
      'find_service',
      match.fib.type('daddr').eq('local'),
      match.ip.daddr.ne('127.0.0.0/8'),
      vmap(concat(match.meta.l4proto, match.th.dport), '@node_ports'),
    ),
    kube.chain('prerouting', { type: 'nat', hook: 'prerouting', prio: 'dstnat' }),
    kube.rule('prerouting', verdict.jump('find_service')),
    kube.chain('output', { type: 'nat', hook: 'output', prio: -100 }),
    kube.rule('output', verdict.jump('find_service')),

    kube.chain('postrouting', { type: 'nat', hook: 'postrouting', prio: 'srcnat' }),
    kube.rule('postrouting', match.meta.mark.and(MASQUERADE).eq(0), verdict.return()),
    kube.rule('postrouting', mangle(match.meta.mark, match.meta.mark.xor(MASQUERADE))),
    kube.rule('postrouting', masquerade({ flags: 'fully-random' })),

    // Nobody is there: said at once, instead of a client that waits.
    kube.chain('refuse_forwarded', { type: 'filter', hook: 'forward', prio: 'filter' }),
    kube.rule('refuse_forwarded', servicePort.inSet('without_endpoints'), reject()),
    kube.chain('refuse_local', { type: 'filter', hook: 'output', prio: 'filter' }),
    kube.rule('refuse_local', servicePort.inSet('without_endpoints'), reject()),
  ]
}

function serviceKey({ clusterAddress, protocol, port }: Service): {
  readonly concat: readonly [string, string, number]
} {
  return { concat: [clusterAddress, protocol, port] }
}

/** A chain for the service, one for each endpoint, and one for what comes by the node's port. */
function serviceChains(service: Service, podNetwork: string): RulesetObject[] {
  const { name, protocol, affinity, endpoints, nodePort } = service
  const chain = `service_${name}`
  const endpointChain = (index: number): string => `endpoint_${name}_${index}`
  const mod = endpoints.length
  const choice = affinity === 'client' ? jhash(match.ip.saddr, { mod, seed: 1 }) : numgen.random(mod)
  return [
    ...endpoints.flatMap(({ address, port }, index) => [
      kube.chain(endpointChain(index)),
      kube.rule(
        { chain: endpointChain(index), comment: 'a pod that uses its own service' },
        match.ip.saddr.eq(address),
        verdict.jump('masquerade_later'),
      ),
      kube.rule(endpointChain(index), match.meta.l4proto.eq(protocol), nat.dnat({ addr: address, port })),
    ]),
    kube.chain(chain),
    kube.rule(chain, match.ip.saddr.ne(podNetwork), verdict.jump('masquerade_later')),
    kube.rule(
      chain,
      vmap(
        choice,
        endpoints.map((_, index) => [index, verdict.goto(endpointChain(index))]),
      ),
    ),
    ...(nodePort === undefined
      ? []
      : [
          kube.chain(`external_${name}`),
          kube.rule(`external_${name}`, verdict.jump('masquerade_later')),
          kube.rule(`external_${name}`, verdict.goto(chain)),
        ]),
  ]
}

await run(import.meta, () =>
  firewall({
    podNetwork: '10.244.0.0/16',
    services: [
      {
        name: 'web',
        clusterAddress: '10.96.0.10',
        protocol: 'tcp',
        port: 80,
        nodePort: 30080,
        endpoints: [
          { address: '10.244.1.2', port: 8080 },
          { address: '10.244.2.2', port: 8080 },
        ],
      },
      {
        name: 'dns',
        clusterAddress: '10.96.0.53',
        protocol: 'udp',
        port: 53,
        affinity: 'client',
        endpoints: [
          { address: '10.244.1.2', port: 53 },
          { address: '10.244.2.2', port: 53 },
        ],
      },
      { name: 'idle', clusterAddress: '10.96.0.99', protocol: 'tcp', port: 80, endpoints: [] },
    ],
  }),
)

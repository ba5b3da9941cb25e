import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const docs = new URL('../../../docs/', import.meta.url)
const page = readFileSync(new URL('docker.md', docs), 'utf8')
const options = readFileSync(new URL('../../../src/network/options.ts', import.meta.url), 'utf8')

/** Options of others, in their own words, for which somebody who knows them looks here. */
const others = {
  'docker network create': [
    'com.docker.network.bridge.name',
    'com.docker.network.bridge.gateway_mode_ipv4',
    'com.docker.network.bridge.trusted_host_interfaces',
    'inhibit_ipv4',
    'com.docker.network.bridge.host_binding_ipv4',
    'com.docker.network.container_iface_prefix',
    'com.docker.network.advertise_addr_nmsgs',
    'advertise_addr_ms',
    '--internal',
    '--subnet',
    '--gateway',
    '--aux-address',
    '--ipam-driver',
    '--ipam-opt',
    '--label',
  ],
  dockerd: [
    'default-gateway',
    'ip',
    'iptables',
    'ip6tables',
    'ip-forward',
    'ip-forward-no-drop',
    'userland-proxy',
    'allow-direct-routing',
    'bridge-accept-fwmark',
    'default-address-pools',
    'firewall-backend',
    '--dns',
    '--dns-search',
    '--dns-opt',
    'host-gateway-ips',
    'RootlessKit',
    'firewalld',
  ],
  'docker run and docker network connect': [
    '-p',
    '-P',
    'ip_local_port_range',
    '--link',
    '--network-alias',
    '--add-host',
    'host-gateway',
    '--hostname',
    '--domainname',
    '--link-local-ip',
    'gw-priority',
    'com.docker.network.endpoint.sysctls',
    '--sysctl',
    '--network none',
    '--network container',
    'docker rename',
    'DNS server of Docker',
  ],
  netavark: [
    'macvlan',
    'ipvlan',
    'bclim',
    'network_interface',
    'dns_enabled',
    'dns_servers',
    'network_dns_servers',
    'routes',
    'blackhole',
    'unreachable',
    'prohibit',
    'dhcp',
    'metric',
    'no_default_route',
    'unmanaged',
    'vlan',
    'vrf',
    'static_ips',
    'host_interface_name',
    'rp_filter',
    'subnet_pools',
    'StrictForwardPorts',
  ],
  CNI: [
    'isGateway',
    'isDefaultGateway',
    'forceAddress',
    'hairpinMode',
    'promiscMode',
    'vlanTrunk',
    'preserveDefaultVlan',
    'enabledad',
    'disableContainerInterface',
    'portIsolation',
    'rangeStart',
    'ranges',
    'resolvConf',
    'snat',
    'masqAll',
    'conditionsV4',
    'conditionsV6',
    'markMasqBit',
    'externalSetMarkChain',
    'ingressBurst',
    'egressBurst',
    'shapedSubnets',
    'unshapedSubnets',
    'iptablesAdminChainName',
    'firewalldZone',
    'ingressPolicy',
    'promisc',
    'txQLen',
    'allmulti',
    'sbr',
  ],
}

describe('docs/docker.md', () => {
  it('has a row for every option of a host, a network, a container and its endpoint', () => {
    const rows = [...page.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    const missing = [
      'HostOptions',
      'NetworkOptions',
      'PoolOptions',
      'EndpointOptions',
      'ContainerOptions',
    ].flatMap((type) => optionsOf(type).filter((name) => !rows.includes(name)))
    expect(missing).toEqual([])
  })

  it.each(Object.entries(others))(
    'names the options of %s that differ here or that are not here',
    (_, names) => {
      expect(names.filter((name) => !namesOption(name))).toEqual([])
    },
  )
})

/** As a whole word: `mode` is not named by `gatewayMode`. */
function namesOption(name: string): boolean {
  const escaped = name.replaceAll(/[.]/g, '\\.')
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`).test(page)
}

/** Names of the properties that an interface of options.ts declares itself. */
function optionsOf(type: string): string[] {
  const body = new RegExp(`^export interface ${type} .*?^}`, 'ms').exec(options)?.[0] ?? ''
  const names = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
  expect(names.length, type).toBeGreaterThan(1)
  return names
}

it('pages refer to pages, and to headings, that there are', () => {
  for (const file of readdirSync(docs).filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(new URL(file, docs), 'utf8')
    for (const [, target = '', heading] of text.matchAll(/\]\(([\w-]+\.md)?(?:#([\w-]+))?\)/g)) {
      const other = target === '' ? text : readFileSync(new URL(target, docs), 'utf8')
      if (heading === undefined) continue
      const headings = [...other.matchAll(/^#+ (.*)$/gm)].map(([, words = '']) =>
        words
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
      expect(headings, `${file}: ${target}#${heading}`).toContain(heading)
    }
  }
})

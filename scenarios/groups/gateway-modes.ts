/** How a network meets the outside: gateway modes, internal networks, direct access, masquerading. */
import type { GatewayMode, NetworkOptions } from 'nfbridge'
import type { Group, Scenario } from '../scenario.js'
import { inward, outward } from './rows.js'

const subnet = '172.17.0.0/16'
const dual = { ipv6: true, pools: [{ subnet }, { subnet: 'fd00:17::/64' }] }
const net = { name: 'docker0', subnet }

/** One network, a container that publishes 8080:80, and one that does not; `side` is a second machine outside. */
function oneNetwork(name: string, about: string, network: NetworkOptions, expect: string): Scenario {
  return {
    name,
    about,
    side: true,
    networks: [network],
    containers: { web: { publish: ['8080:80'] }, app: {} },
    hostPorts: ['8080/tcp'],
    stages: [{ expect }],
  }
}

const EVERYTHING = ['tcp', 'udp', 'icmp']

const published = `
  web, app -> host 8080/tcp: reached web as host@docker0
  * -> host 8080/tcp: reached web
`
const masqueraded = `
  containers -> side: reached as host
  host -> side: reached
  ${outward}
`

export const gatewayModes: Group = {
  name: 'gateway-modes',
  scenarios: [
    oneNetwork(
      'mode-nat',
      'nat: in by published ports alone, out under the address of the host; direct access is dropped even when somebody routes there.',
      net,
      `
        ${published}
        containers -> containers: reached
        side -> containers: blocked
        ${inward}
        ${masqueraded}
      `,
    ),
    oneNetwork(
      'mode-nat-unprotected',
      'nat-unprotected: the same, and whoever routes to a container reaches all of it.',
      { ...net, gatewayMode: 'nat-unprotected' },
      `
        ${published}
        * -> containers: reached
        ${masqueraded}
      `,
    ),
    oneNetwork(
      'mode-routed',
      "routed: no translation in or out; published ports and ICMP by the container's own address, nothing else.",
      { ...net, gatewayMode: 'routed' },
      `
        * -> host 8080/tcp: refused
        containers, host -> containers: reached
        outside, side -> web 80/tcp, icmp: reached
        outside, side -> app icmp: reached
        outside, side -> containers: blocked
        containers, host -> outside, side: reached
        * -> host: reached
      `,
    ),
    {
      name: 'mode-isolated',
      about: 'isolated: the bridge has no address; its containers talk with each other and with nobody else.',
      networks: [{ ...net, gatewayMode: 'isolated' }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            outside, host -> containers: blocked
            containers -> outside, host: unreachable
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'internal',
      about:
        'An internal network: its containers and the address of the bridge; everything else is unreachable at once, and nobody comes in.',
      networks: [{ ...net, internal: true }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers, host -> containers: reached
            containers -> host@docker0: reached
            containers -> outside, host: unreachable
            outside -> containers: blocked
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'internal-with-a-route-of-its-own',
      about:
        'A container of an internal network that makes itself a default route: its gateway is reached, no other address of the host, and nothing beyond.',
      networks: [
        { ...net, internal: true },
        { name: 'other', subnet: '172.18.0.0/16', isolation: 'none' },
      ],
      containers: { web: {}, app: {}, far: { on: 'other', publish: ['8080:80'] } },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          steps: [{ do: 'addRoute', machine: 'web', to: 'default', via: '172.17.0.1' }],
          expect: `
            web, app -> web, app: reached
            far -> host 8080/tcp: reached far as host@other
            host, outside -> host 8080/tcp: reached far
            app -> host@docker0 8080/tcp: blocked
            web -> host 8080/tcp: blocked
            web -> host@docker0: reached
            web -> host, far, outside: blocked
            far -> web, app: blocked
            app -> host@docker0: reached
            app -> far, outside, host: unreachable
            far -> outside: reached as host
            ${inward}
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'internal-link-local',
      about:
        'Peers on an internal network reach each other by IPv4, by unique local and by link-local addresses.',
      networks: [{ name: 'docker0', ...dual, internal: true }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers, host -> containers: reached
            containers -> host@docker0: reached
            containers -> outside, host: unreachable
            outside -> containers: blocked
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'linkLocal', from: 'app', to: 'web', port: 80, is: 'reached' }],
        },
      ],
    },
    {
      name: 'internal-ipv6',
      about: 'The same in both families; icc off closes it within as well, and a link opens it.',
      networks: [{ name: 'docker0', ...dual, internal: true, icc: false }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web'] } },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            containers -> containers: blocked
            host -> containers: reached
            containers -> host@docker0: reached
            containers -> outside, host: unreachable
            outside -> containers: blocked
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'linkLocal', from: 'app', to: 'web', port: 80, is: 'blocked' }],
        },
      ],
    },
    oneNetwork(
      'mode-by-family',
      'IPv4 nat, IPv6 routed: each family as its mode says.',
      { name: 'docker0', ...dual, gatewayMode: { ipv4: 'nat', ipv6: 'routed' } },
      `
        * -> host 8080/tcp (ipv6): refused
        ${published}
        containers, host -> containers: reached
        outside, side -> web 80/tcp, icmp (ipv6): reached
        outside, side -> app icmp (ipv6): reached
        outside, side -> containers: blocked
        containers -> outside, side (ipv6): reached
        containers -> outside, side (ipv4): reached as host
        host -> outside, side: reached
        * -> host: reached
      `,
    ),
    {
      name: 'isolated-beside-nat-by-family',
      about: 'IPv4 nat, IPv6 isolated: no gateway and no way out in IPv6, all as always in IPv4.',
      networks: [{ name: 'docker0', ...dual, gatewayMode: { ipv4: 'nat', ipv6: 'isolated' } }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            outside -> containers: blocked
            host -> containers (ipv4): reached
            host -> containers (ipv6): blocked
            containers -> outside, host (ipv6): unreachable
            ${outward}
          `,
        },
      ],
    },
    modes('nat', 'routed', ['80/tcp', 'icmp'], []),
    modes('routed', 'routed', ['80/tcp', 'icmp'], ['80/tcp', 'icmp']),
    modes('nat', 'nat-unprotected', EVERYTHING, []),
    modes('nat-unprotected', 'nat-unprotected', EVERYTHING, EVERYTHING),
    directRouting('allow-direct-routing-between-networks', { allowDirectRouting: true }, ['80/tcp']),
    directRouting('trusted-network', { trustedInterfaces: ['front'] }, ['80/tcp']),
    directRouting(
      'direct-routing-to-a-strict-network',
      { gatewayMode: 'nat-unprotected', isolation: 'strict' },
      [],
    ),
    directRouting(
      'allow-direct-routing-to-a-strict-network',
      { allowDirectRouting: true, isolation: 'strict' },
      [],
    ),
    oneNetwork(
      'trusted-interface',
      'From a trusted interface published ports are reached by the own address of the container, nothing else of it; from others not.',
      { ...net, trustedInterfaces: ['side'] },
      `
        ${published}
        containers -> containers: reached
        side -> web 80/tcp: reached
        side -> containers: blocked
        ${inward}
        ${masqueraded}
      `,
    ),
    oneNetwork(
      'allow-direct-routing',
      'The same from every interface.',
      { ...net, allowDirectRouting: true },
      `
        ${published}
        containers -> containers: reached
        outside, side -> web 80/tcp: reached
        side -> containers: blocked
        ${inward}
        ${masqueraded}
      `,
    ),
    {
      name: 'snat',
      about: 'Containers go out under the address that the network says.',
      addresses: ['203.0.113.9/24'],
      networks: [{ ...net, masquerade: { snat: '203.0.113.9' } }],
      containers: { web: {} },
      stages: [
        {
          expect: `
            containers -> outside: reached as 203.0.113.9
            ${inward}
            host -> outside: reached as host@uplink
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'masquerade-false',
      about: 'Without masquerading the outside sees the own address of the container.',
      networks: [{ name: 'docker0', ...dual, masquerade: false }],
      containers: { web: {} },
      stages: [
        {
          expect: `
            ${inward}
            containers -> outside: reached
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'masquerade-except',
      about: 'Excepted destinations see the own address of the container, others that of the host.',
      side: true,
      networks: [{ ...net, masquerade: { except: ['198.51.100.0/24'] } }],
      containers: { web: {} },
      stages: [
        {
          expect: `
            side -> containers: blocked
            ${inward}
            containers -> side: reached as web
            host -> side: reached
            ${outward}
          `,
        },
      ],
    },
  ],
}

/** Two networks, the second with an option that opens its containers' own addresses: what it opens to the first. */
function directRouting(name: string, options: Partial<NetworkOptions>, ports: readonly string[]): Scenario {
  const unprotected = options.gatewayMode === 'nat-unprotected'
  const allowed = options.allowDirectRouting === true
  const what = Object.entries(options).map(([option, value]) => `${option}: ${JSON.stringify(value)}`)
  return {
    name,
    about: `A network with ${what.join(', ')}: ${ports.join(', ') || 'nothing'} of its containers by their own addresses, from another network.`,
    networks: [
      { name: 'front', subnet: '172.18.0.0/16' },
      { name: 'back', subnet: '172.19.0.0/16', ...options },
    ],
    containers: { web: { on: 'front' }, db: { on: 'back', publish: ['8081:80'] } },
    hostPorts: ['8081/tcp'],
    stages: [
      {
        expect: `
          db -> host 8081/tcp: reached db as host@back
          * -> host 8081/tcp: reached db
          ${ports.length > 0 ? `web -> db ${ports.join(', ')}: reached` : ''}
          containers -> containers: blocked
          host -> containers: reached
          ${allowed ? 'outside -> db 80/tcp: reached' : ''}
          outside -> db: ${unprotected ? 'reached' : 'blocked'}
          outside -> web: blocked
          ${outward}
        `,
      },
    ],
  }
}

/** Two networks of these modes: what the container of each reaches of the other's, which publishes 80:80. */
function modes(
  one: GatewayMode,
  other: GatewayMode,
  forth: readonly string[],
  back: readonly string[],
): Scenario {
  const row = (from: string, to: string, ports: readonly string[]): string =>
    ports.length > 0 ? `${from} -> ${to} ${ports.join(', ')}: reached` : ''
  const hostPort = (container: string, network: string, mode: GatewayMode, port: string): string =>
    mode === 'routed'
      ? `* -> host ${port}: refused`
      : `${container} -> host ${port}: reached ${container} as host@${network}
         * -> host ${port}: reached ${container}`
  const outside = (container: string, mode: GatewayMode): string =>
    mode === 'routed'
      ? `outside -> ${container} 80/tcp, icmp: reached
         outside -> ${container}: blocked
         ${container} -> outside: reached`
      : `outside -> ${container}: ${mode === 'nat' ? 'blocked' : 'reached'}
         ${container} -> outside: reached as host`
  return {
    name: `mode-${one}-to-${other}`,
    about: `From a network of mode ${one} to one of mode ${other} and back; ports of the host in every mix.`,
    networks: [
      { name: 'front', subnet: '172.18.0.0/16', gatewayMode: one },
      { name: 'back', subnet: '172.19.0.0/16', gatewayMode: other },
    ],
    containers: { web: { on: 'front', publish: ['8080:80'] }, db: { on: 'back', publish: ['8081:80'] } },
    hostPorts: ['8080/tcp', '8081/tcp'],
    stages: [
      {
        expect: `
          ${hostPort('web', 'front', one, '8080/tcp')}
          ${hostPort('db', 'back', other, '8081/tcp')}
          ${row('web', 'db', forth)}
          ${row('db', 'web', back)}
          ${forth === EVERYTHING && back === EVERYTHING ? '' : 'containers -> containers: blocked'}
          host -> containers: reached
          ${outside('web', one)}
          ${outside('db', other)}
          host -> outside: reached
          * -> host: reached
        `,
      },
    ],
  }
}

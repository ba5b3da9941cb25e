/** The hosts that the golden texts beside this file are of, one for each group of options. */
import { Cidr, parseAddress } from '../../../../src/address/index.js'
import type { NetworkView } from '../../../../src/network/plan/view.js'
import type { IptablesFacts } from '../../../../src/network/text/iptables-text.js'
import type { UserRule } from '../../../../src/network/text/user-rule-text.js'
import { container, endpoint, family, network, pool, view } from './view.js'

export interface DescribedHost {
  readonly title: string
  readonly view: NetworkView
  readonly facts: IptablesFacts
}

const facts: IptablesFacts = { firewall: true, userRules: { forward: [], inbound: [] } }
const docker0 = pool('172.17.0.0/16', 'docker0', '172.17.0.1')
const drop = { drop: [4], acceptDirect: false, userRules: false } as const
const port = (first: number, last = first) => ({ first, last })

/** Docker's own example: a web server with a link to it, on a network whose containers are kept apart. */
function linkedHost(): DescribedHost {
  const web = container('web', [endpoint('docker0', '172.17.0.2')], {
    exposed: [{ protocol: 'tcp', port: 80 }],
    published: [
      { hostAddress: undefined, hostPorts: port(8080), containerPorts: port(80), protocol: 'tcp' },
      {
        hostAddress: parseAddress('203.0.113.1'),
        hostPorts: port(8000, 8009),
        containerPorts: port(80, 89),
        protocol: 'udp',
      },
    ],
  })
  const app = container('app', [endpoint('docker0', '172.17.0.3')], {
    links: [{ server: web.id, alias: 'db' }],
  })
  const db = container('db', [endpoint('docker0', '172.17.0.4')], {
    exposed: [{ protocol: 'sctp', port: 5000 }],
  })
  const client = container('client', [endpoint('docker0', '172.17.0.5')], {
    links: [{ server: db.id, alias: 'db' }],
  })
  return {
    title: 'links and ports without icc, forwarding turned on by us',
    view: view({
      networks: [network('docker0', [docker0], { icc: false })],
      containers: [web, app, db, client],
      policy: drop,
    }),
    facts,
  }
}

function severalNetworks(): DescribedHost {
  const to = {
    published: [{ hostAddress: undefined, hostPorts: port(53), containerPorts: port(53), protocol: 'udp' }],
  } as const
  return {
    title: 'networks of every isolation and gateway mode, a peer',
    view: view({
      networks: [
        network('docker0', [docker0], {
          ipv4: family({ except: [Cidr.parse('10.0.0.0/8')] }),
          trustedInterfaces: ['vpn0'],
        }),
        network('routed0', [pool('172.18.0.0/16', 'routed0', '172.18.0.1')], {
          ipv4: family({ mode: 'routed' }),
        }),
        network('open0', [pool('172.19.0.0/16', 'open0', '172.19.0.1')], {
          ipv4: family({ mode: 'nat-unprotected', snat: parseAddress('203.0.113.7') }),
          isolation: 'none',
        }),
        network('strict0', [pool('172.20.0.0/16', 'strict0', '172.20.0.1')], {
          isolation: 'strict',
          allowDirectRouting: true,
          ipv4: family({ masquerade: false }),
        }),
        network('inside0', [pool('172.21.0.0/16', 'inside0', '172.21.0.1')], { internal: true }),
      ],
      containers: [
        container('dns', [endpoint('docker0', '172.17.0.2')], to),
        container('routed', [endpoint('routed0', '172.18.0.2')], to),
        container('strict', [endpoint('strict0', '172.20.0.2')], to),
      ],
      peers: [{ subnet: Cidr.parse('172.30.0.0/16'), via: undefined, device: 'uplink' }],
    }),
    facts,
  }
}

function dualStack(): DescribedHost {
  const pools = [docker0, pool('fd00:17::/64', 'docker0', 'fd00:17::1')]
  const web = container('web', [endpoint('docker0', '172.17.0.2', 'fd00:17::2')], {
    published: [
      { hostAddress: undefined, hostPorts: port(8080), containerPorts: port(80), protocol: 'tcp' },
      {
        hostAddress: parseAddress('2001:db8::1'),
        hostPorts: port(9000, 9001),
        containerPorts: port(90, 91),
        protocol: 'tcp',
      },
    ],
  })
  const app = container('app', [endpoint('docker0', '172.17.0.3', 'fd00:17::1111:2222:3333:4444')], {
    links: [{ server: web.id, alias: 'web' }],
  })
  return {
    title: 'both families',
    view: view({
      networks: [network('docker0', pools, { icc: false })],
      containers: [web, app],
      policy: { drop: [4, 6], acceptDirect: false, userRules: false },
    }),
    facts,
  }
}

function userRules(): DescribedHost {
  const ruleOf = (...expr: UserRule['expr']) => ({ expr })
  return {
    title: "the users' own rules, forwardPolicy: accept",
    view: view({
      networks: [network('docker0', [docker0])],
      policy: { drop: [], acceptDirect: true, userRules: false },
    }),
    facts: {
      firewall: true,
      userRules: {
        forward: [
          ruleOf(
            { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'ext_if' } },
            { match: { op: '!=', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '8.8.8.8' } },
            { counter: { packets: 0, bytes: 0 } },
            { drop: null },
          ),
          ruleOf(
            {
              match: {
                op: '==',
                left: { payload: { protocol: 'tcp', field: 'dport' } },
                right: { range: [8000, 8010] },
              },
            },
            { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['new', 'invalid'] } },
            { return: null },
          ),
          ruleOf(
            {
              match: {
                op: '==',
                left: { payload: { protocol: 'ip6', field: 'saddr' } },
                right: '2001:db8::1',
              },
            },
            { drop: null },
          ),
          ruleOf(
            {
              match: {
                op: '==',
                left: { payload: { protocol: 'tcp', field: 'dport' } },
                right: { set: [22, 23] },
              },
            },
            { drop: null },
          ),
        ],
        inbound: [
          {
            ...ruleOf(
              {
                match: {
                  op: '==',
                  left: { payload: { protocol: 'ip', field: 'saddr' } },
                  right: { prefix: { addr: '192.0.2.0', len: 24 } },
                },
              },
              { drop: null },
            ),
            comment: 'not these',
          },
        ],
      },
    },
  }
}

function severalBridges(): DescribedHost {
  const pools = [
    pool('172.17.0.0/17', 'docker0', '172.17.0.1'),
    pool('172.17.128.0/17', 'docker0-1', '172.17.128.1'),
  ]
  const web = container('web', [endpoint('docker0', '172.17.0.2')], {
    exposed: [{ protocol: 'tcp', port: 80 }],
  })
  const app = container('app', [{ ...endpoint('docker0', '172.17.128.2'), bridge: 'docker0-1' }], {
    links: [{ server: web.id, alias: 'web' }],
  })
  return {
    title: 'a network over two bridges, stateless links',
    view: view({
      networks: [
        network('docker0', pools, { bridges: ['docker0', 'docker0-1'], icc: false, linkMode: 'stateless' }),
      ],
      containers: [web, app],
    }),
    facts,
  }
}

export const hosts: readonly DescribedHost[] = [
  linkedHost(),
  severalNetworks(),
  dualStack(),
  userRules(),
  severalBridges(),
]

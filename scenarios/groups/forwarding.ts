/** Forwarding and policy: what the host forwards, and who decides. */
import { table } from 'nfbridge/nft'
import type { Group, Scenario } from '../scenario.js'
import { inward, outward } from './rows.js'

const networks = [{ name: 'docker0', subnet: '172.17.0.0/16' }]
const containers = { web: {}, app: {} }
const theirs = table('ip', 'filter')
const dropForwarded = [
  theirs.table(),
  theirs.chain('FORWARD', { type: 'filter', hook: 'forward', prio: 'filter', policy: 'drop' }),
]

/** Containers as always; what is none of ours passes, or not. */
function policy(
  name: string,
  about: string,
  options: Pick<Scenario, 'options' | 'sysctls'>,
  transit: 'reached' | 'blocked',
  forward: '0' | '1',
): Scenario {
  return {
    name,
    about,
    ...options,
    side: true,
    transit: true,
    networks,
    containers,
    stages: [
      {
        expect: `
          containers -> containers: reached
          ${inward}
          side -> containers: blocked
          outside -> side: ${transit}
          side -> outside: ${transit}
          containers -> side: reached as host
          host -> side: reached
          ${outward}
        `,
        checks: [
          { check: 'sysctl', name: 'net.ipv4.ip_forward', is: forward },
          { check: 'sysctl', name: 'net.ipv6.conf.all.forwarding', is: '0' },
        ],
      },
    ],
  }
}

export const forwarding: Group = {
  name: 'forwarding',
  scenarios: [
    policy(
      'forward-policy-auto-turned-on',
      'We turned ip_forward on, so what nothing allows is dropped, as Docker does.',
      {},
      'blocked',
      '1',
    ),
    policy(
      'forward-policy-auto-was-on',
      'ip_forward was on: what is none of ours is left alone.',
      { sysctls: { 'net.ipv4.ip_forward': '1' } },
      'reached',
      '1',
    ),
    policy(
      'forward-policy-drop',
      'Dropped outright, also where forwarding was on.',
      { sysctls: { 'net.ipv4.ip_forward': '1' }, options: { forwardPolicy: 'drop' } },
      'blocked',
      '1',
    ),
    policy(
      'forward-policy-leave',
      'Left alone outright, also where we turned forwarding on.',
      { options: { forwardPolicy: 'leave' } },
      'reached',
      '1',
    ),
    policy(
      'ip-forward-false-kernel-on',
      'ipForward: false in a kernel that forwards has no effect.',
      { sysctls: { 'net.ipv4.ip_forward': '1' }, options: { ipForward: false } },
      'reached',
      '1',
    ),
    {
      name: 'forward-policy-accept',
      about: 'Whoever routes to a container reaches every port of it; its own connections go out as before.',
      options: { forwardPolicy: 'accept' },
      side: true,
      transit: true,
      networks,
      containers,
      stages: [
        {
          expect: `
            containers, host, outside, side -> containers: reached
            outside -> side: reached
            side -> outside: reached
            containers -> side: reached as host
            host -> side: reached
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'ip-forward-false-kernel-off',
      about:
        'ipForward: false in a kernel that does not forward: the bridge works, the outside not, either way.',
      options: { ipForward: false },
      networks,
      containers,
      stages: [
        {
          expect: `
            containers, host -> containers: reached
            outside -> containers: blocked
            containers -> outside: blocked
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'sysctl', name: 'net.ipv4.ip_forward', is: '0' }],
        },
      ],
    },
    {
      name: 'firewall-false',
      about:
        'No rule at all: whoever routes to a container reaches it, and is reached by its own address; what needs rules is refused.',
      options: { firewall: false },
      networks,
      containers,
      stages: [
        {
          steps: [
            { do: 'publish', container: 'web', ports: ['8080:80'], fails: 'NFB_SETTING_CONFLICT' },
            {
              do: 'createNetwork',
              network: { name: 'closed', subnet: '172.18.0.0/16', icc: false },
              fails: 'NFB_SETTING_CONFLICT',
            },
          ],
          expect: `
            * -> containers: reached
            containers, host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'sysctl', name: 'net.ipv4.ip_forward', is: '1' }],
        },
      ],
    },
    {
      name: 'ipv6-forwarding-with-first-ipv6-network',
      about:
        'IPv6 forwarding is untouched until the first IPv6 network, and given back with the last; IPv4 likewise.',
      ipv6: true,
      containers: { web: { on: 'six', later: true } },
      stages: [
        {
          title: 'no network',
          expect: `
            outside -> host: reached
            host -> outside: reached
          `,
          checks: [
            { check: 'sysctl', name: 'net.ipv4.ip_forward', is: '0' },
            { check: 'sysctl', name: 'net.ipv6.conf.all.forwarding', is: '0' },
          ],
        },
        {
          title: 'an IPv4 network',
          steps: [{ do: 'createNetwork', network: { name: 'four', subnet: '172.17.0.0/16' } }],
          expect: `
            outside -> host: reached
            host -> outside: reached
          `,
          checks: [
            { check: 'sysctl', name: 'net.ipv4.ip_forward', is: '1' },
            { check: 'sysctl', name: 'net.ipv6.conf.all.forwarding', is: '0' },
          ],
        },
        {
          title: 'an IPv6 network',
          steps: [
            {
              do: 'createNetwork',
              network: {
                name: 'six',
                ipv6: true,
                pools: [{ subnet: '172.18.0.0/16' }, { subnet: 'fd00:18::/64' }],
              },
            },
            { do: 'attach', container: 'web' },
          ],
          expect: `
            ${inward}
            ${outward}
          `,
          checks: [
            { check: 'sysctl', name: 'net.ipv4.ip_forward', is: '1' },
            { check: 'sysctl', name: 'net.ipv6.conf.all.forwarding', is: '1' },
          ],
        },
        {
          title: 'both are gone',
          steps: [
            { do: 'detach', container: 'web' },
            { do: 'destroyNetwork', network: 'six' },
            { do: 'destroyNetwork', network: 'four' },
          ],
          expect: `
            outside -> host: reached
            host -> outside: reached
          `,
          checks: [
            { check: 'sysctl', name: 'net.ipv4.ip_forward', is: '0' },
            { check: 'sysctl', name: 'net.ipv6.conf.all.forwarding', is: '0' },
          ],
        },
      ],
    },
    {
      name: 'foreign-forward-drop',
      about:
        "Somebody's FORWARD policy of drop: our accept does not overrule it, so nothing that is forwarded passes, nor what stays within a " +
        'tracked network; a published port is still reached from the host by its addresses. When the policy goes, all is well at once.',
      foreign: dropForwarded,
      networks: networks.map((network) => ({ ...network, tracking: true })),
      containers: { web: { publish: ['8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            host -> host, localhost 8080/tcp: reached web
            containers, outside -> host 8080/tcp: blocked
            * -> host: reached
            containers -> containers: blocked
            host -> containers: reached
            outside -> containers: blocked
            containers -> outside: blocked
            host -> outside: reached
          `,
        },
        {
          title: 'the foreign table is gone',
          steps: [{ do: 'removeTable', family: 'ip', name: 'filter' }],
          expect: `
            web -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'foreign-forward-drop-untracked',
      about:
        'The same policy sees what stays within a network that is not tracked only where net.bridge.bridge-nf-call-iptables shows it; whatever is routed is dropped.',
      foreign: dropForwarded,
      networks,
      containers: { web: { publish: ['8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            host -> host, localhost 8080/tcp: reached web
            containers, outside -> host 8080/tcp: blocked
            * -> host: reached
            containers -> containers: reached | blocked
            host -> containers: reached
            outside -> containers: blocked
            containers -> outside: blocked
            host -> outside: reached
          `,
        },
      ],
    },
  ],
}

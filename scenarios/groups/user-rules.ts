/** The users' own rules, in front of ours. */
import type { UserRuleOption } from 'nfbridge'
import { match, table, verdict } from 'nfbridge/nft'
import type { Group } from '../scenario.js'
import { inward, noLoopback6, outward } from './rows.js'

const networks = [{ name: 'docker0', subnet: '172.17.0.0/16' }]
const containers = { web: { publish: ['8080:80'] }, app: {} }
const hostPorts = ['8080/tcp']

/** "Only this address may come in through ext_if", as Docker's documentation has it. */
function onlyFrom(address: string): UserRuleOption {
  return [match.meta.iifname.eq('uplink'), match.ip.saddr.ne(address), verdict.drop()]
}

const within = `
  web, app -> host 8080/tcp: reached web as host@docker0
  containers -> containers: reached
  host -> host 8080/tcp: reached web
`

export const userRules: Group = {
  name: 'user-rules',
  scenarios: [
    {
      name: 'user-inbound-only-one-source',
      about:
        'Only one address may come in through the uplink: a negated rule in user_inbound, which leaves the own connections of containers alone.',
      side: true,
      networks,
      containers,
      hostPorts,
      stages: [
        {
          title: 'without a rule',
          expect: `
            ${within}
            * -> host 8080/tcp: reached web
            side -> containers: blocked
            containers -> side: reached as host
            host -> side: reached
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'somebody else may come in',
          steps: [{ do: 'userRule', chain: 'inbound', rule: onlyFrom('203.0.113.7') }],
          expect: `
            ${within}
            outside -> host 8080/tcp: blocked
            side -> host 8080/tcp: reached web
            side -> containers: blocked
            containers -> side: reached as host
            host -> side: reached
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'the machine outside may',
          steps: [
            { do: 'flushUserRules', chain: 'inbound' },
            { do: 'userRule', chain: 'inbound', rule: onlyFrom('203.0.113.2') },
          ],
          expect: `
            ${within}
            * -> host 8080/tcp: reached web
            side -> containers: blocked
            containers -> side: reached as host
            host -> side: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'user-forward-breaks-outgoing',
      about:
        "The same rule in user also drops the replies to the containers' own connections; open connections stop as well.",
      side: true,
      networks,
      containers,
      hostPorts,
      stages: [
        {
          title: 'without a rule',
          expect: `
            ${within}
            * -> host 8080/tcp: reached web
            side -> containers: blocked
            containers -> side: reached as host
            host -> side: reached
            ${inward}
            ${outward}
          `,
          hold: ['app -> outside 80/tcp', 'outside -> host@uplink 8080/tcp', 'app -> side 80/tcp'],
        },
        {
          title: 'with the rule',
          steps: [{ do: 'userRule', chain: 'forward', rule: onlyFrom('203.0.113.7') }],
          held: `
            app -> outside 80/tcp: stops
            outside -> host@uplink 8080/tcp: stops
            app -> side 80/tcp: lives
          `,
          expect: `
            ${within}
            outside -> host 8080/tcp: blocked
            side -> host 8080/tcp: reached web
            containers -> outside icmp: unanswered
            containers -> outside: blocked
            side -> containers: blocked
            containers -> side: reached as host
            host -> side: reached
            ${inward}
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'user-inbound-opens-direct-access',
      about:
        'A rule that accepts opens what ours would drop; taken back, it stops at once, and so do the connections that it alone allowed.',
      networks,
      containers,
      hostPorts,
      stages: [
        {
          steps: [
            {
              do: 'userRule',
              chain: 'inbound',
              rule: [match.ip.daddr.eq('172.17.0.2'), match.tcp.dport.eq(81), verdict.accept()],
            },
          ],
          expect: `
            outside -> web 81/tcp: reached
            ${within}
            * -> host 8080/tcp: reached web
            ${inward}
            ${outward}
          `,
          hold: ['outside -> web 81/tcp', 'outside -> host@uplink 8080/tcp', 'app -> web 81/tcp'],
        },
        {
          title: 'flushed',
          steps: [{ do: 'flushUserRules', chain: 'inbound' }],
          held: `
            outside -> web 81/tcp: stops
            outside -> host@uplink 8080/tcp: lives
            app -> web 81/tcp: lives
          `,
          expect: `
            ${within}
            * -> host 8080/tcp: reached web
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'user-rules-kept-or-flushed',
      about:
        'What stands in the two chains when a host is opened, also of another tool, is kept by default, and flushed when asked.',
      networks,
      containers,
      hostPorts,
      stages: [
        {
          title: 'a rule by another tool',
          steps: [
            {
              do: 'foreign',
              add: [
                table('inet', 'nfbridge').rule(
                  'user',
                  match.meta.iifname.eq('uplink'),
                  match.tcp.dport.eq(80),
                  verdict.drop(),
                ),
              ],
            },
          ],
          expect: `
            ${within}
            outside -> host 8080/tcp: blocked
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'opened again',
          steps: [{ do: 'reopen' }],
          expect: `
            ${within}
            outside -> host 8080/tcp: blocked
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'opened again with existingRules: flush',
          steps: [{ do: 'reopen', options: { existingRules: 'flush' } }],
          expect: `
            ${within}
            * -> host 8080/tcp: reached web
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'user-rules-ipv6',
      about: 'One chain for both families: a rule about one leaves the other alone.',
      networks: [
        { name: 'docker0', ipv6: true, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] },
      ],
      containers,
      hostPorts,
      stages: [
        {
          steps: [
            {
              do: 'userRule',
              chain: 'inbound',
              rule: [match.ip6.saddr.eq('2001:db8:113::2'), verdict.drop()],
            },
          ],
          expect: `
            ${noLoopback6}
            ${within}
            outside -> host 8080/tcp (ipv6): blocked
            * -> host 8080/tcp: reached web
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'user-rules-without-firewall',
      about: 'With firewall: false there is no chain for rules, and asking for one says so.',
      options: { firewall: false },
      networks,
      containers: { web: {} },
      stages: [
        {
          steps: [
            {
              do: 'userRule',
              chain: 'forward',
              rule: onlyFrom('203.0.113.7'),
              fails: 'NFB_SETTING_CONFLICT',
            },
          ],
          expect: `
            * -> containers: reached
            * -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
  ],
}

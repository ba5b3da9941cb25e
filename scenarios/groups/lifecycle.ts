/** Containers and hosts that come and go: who gets an address inherits nothing of who had it. */
import type { UserRuleOption } from 'nfbridge'
import { match, verdict } from 'nfbridge/nft'
import type { Group } from '../scenario.js'
import { inward, outward } from './rows.js'

const closed = [{ name: 'docker0', subnet: '172.17.0.0/16', icc: false }]

const notFromUplinkTo80: UserRuleOption = [
  match.meta.iifname.eq('uplink'),
  match.tcp.dport.eq(80),
  verdict.drop(),
]

const others = `
  containers -> containers: blocked
  ${inward}
  ${outward}
`

export const lifecycle: Group = {
  name: 'lifecycle',
  scenarios: [
    {
      name: 'stale-link-server-removed',
      about:
        "Docker's defect: the server is removed and a stranger gets its address. He is not reached by the link.",
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'] },
        app: { links: ['web'] },
        stranger: { later: true, expose: ['80/tcp'], address: '172.17.0.2' },
      },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp'],
        },
        {
          title: 'the server is removed',
          steps: [{ do: 'detach', container: 'web' }],
          held: 'app -> web 80/tcp: stops',
          expect: `
            ${inward}
            ${outward}
          `,
          checks: [
            { check: 'notInRules', address: '172.17.0.2' },
            { check: 'hosts', container: 'app', lines: [] },
          ],
        },
        {
          title: 'a stranger gets its address',
          steps: [{ do: 'attach', container: 'stranger' }],
          expect: others,
          checks: [{ check: 'address', container: 'stranger', is: '172.17.0.2' }],
        },
      ],
    },
    {
      name: 'stale-link-server-returns-elsewhere',
      about:
        "Docker's defect: the server returns with another address. It is reached there by its link, the hosts lines follow, and a stranger at its old address is not reached.",
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'] },
        app: { links: ['web:db'] },
        stranger: { later: true, expose: ['80/tcp'], address: '172.17.0.2' },
      },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp', 'app -> outside 80/tcp'],
        },
        {
          title: 'the server is stopped, a stranger has its address',
          steps: [
            { do: 'stop', container: 'web' },
            { do: 'attach', container: 'stranger' },
          ],
          held: `
            app -> web 80/tcp: stops
            app -> outside 80/tcp: lives
          `,
          expect: others,
        },
        {
          title: 'the server is back elsewhere',
          steps: [{ do: 'start', container: 'web' }],
          held: 'app -> outside 80/tcp: lives',
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
          checks: [
            { check: 'address', container: 'web', is: '172.17.0.4' },
            { check: 'hosts', container: 'app', lines: ['172.17.0.4 db <id:web> web'] },
          ],
        },
      ],
    },
    {
      name: 'stale-link-client-removed',
      about: 'The client is removed; a stranger with its address does not reach the server.',
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'] },
        app: { links: ['web'] },
        stranger: { later: true, address: '172.17.0.3' },
      },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
        {
          title: 'a stranger has the address of the client',
          steps: [
            { do: 'detach', container: 'app' },
            { do: 'attach', container: 'stranger' },
          ],
          expect: others,
        },
      ],
    },
    {
      name: 'stopped-client-keeps-its-link',
      about:
        'A client that is stopped keeps its links: a stranger with its address has none, and when it is back it reaches the server.',
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'] },
        app: { links: ['web'] },
        stranger: { later: true, address: '172.17.0.3' },
      },
      stages: [
        {
          steps: [
            { do: 'stop', container: 'app' },
            { do: 'attach', container: 'stranger' },
          ],
          expect: others,
        },
        {
          title: 'the client is back',
          steps: [{ do: 'start', container: 'app' }],
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'stale-publication',
      about:
        'The same for published ports: a stranger at the address is not reached by the port of the host; the container is, when it is back.',
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16' }],
      containers: {
        web: { publish: ['8080:80'] },
        app: {},
        stranger: { later: true, address: '172.17.0.2' },
      },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            web, app -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
          hold: ['outside -> host@uplink 8080/tcp', 'app -> outside 80/tcp'],
        },
        {
          title: 'stopped, and a stranger has its address',
          steps: [
            { do: 'stop', container: 'web' },
            { do: 'attach', container: 'stranger' },
          ],
          held: `
            outside -> host@uplink 8080/tcp: stops
            app -> outside 80/tcp: lives
          `,
          expect: `
            * -> host 8080/tcp: refused
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'back with another address',
          steps: [{ do: 'start', container: 'web' }],
          held: 'app -> outside 80/tcp: lives',
          expect: `
            web, app, stranger -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'removed',
          steps: [{ do: 'detach', container: 'web' }],
          held: 'app -> outside 80/tcp: lives',
          expect: `
            * -> host 8080/tcp: refused
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'reopen-keeps-everything',
      about:
        'The program ends and another opens the same state directory: connections go on, links and ports are as they were, and can be taken back.',
      networks: closed,
      containers: { web: { expose: ['80/tcp'], publish: ['8080:81'] }, app: { links: ['web:db'] }, spy: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            app -> web 80/tcp, 81/tcp: reached
            web, app, spy -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            ${others}
          `,
          hold: ['app -> web 80/tcp', 'outside -> host@uplink 8080/tcp', 'app -> outside 80/tcp'],
        },
        {
          title: 'opened again',
          steps: [{ do: 'reopen' }],
          held: `
            app -> web 80/tcp: lives
            outside -> host@uplink 8080/tcp: lives
            app -> outside 80/tcp: lives
          `,
          expect: `
            app -> web 80/tcp, 81/tcp: reached
            web, app, spy -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            ${others}
          `,
          checks: [{ check: 'lost', containers: [] }],
        },
        {
          title: 'and unlinked',
          steps: [{ do: 'unlink', container: 'app', link: 'db' }],
          held: `
            app -> web 80/tcp: stops
            outside -> host@uplink 8080/tcp: lives
            app -> outside 80/tcp: lives
          `,
          expect: `
            web, app, spy -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            ${others}
          `,
        },
      ],
    },
    {
      name: 'rules-flushed-while-down',
      about:
        "Somebody flushed every rule while the program was away: the next open makes them again, the users' chain first.",
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'], publish: ['8080:81', '8081:80'] },
        app: { links: ['web:db'] },
        spy: {},
      },
      hostPorts: ['8080/tcp', '8081/tcp'],
      stages: [
        {
          steps: [
            { do: 'userRule', chain: 'inbound', rule: notFromUplinkTo80 },
            { do: 'flushRuleset' },
            { do: 'reopen' },
          ],
          expect: `
            app -> web 80/tcp, 81/tcp: reached
            outside -> host 8081/tcp: blocked
            web, app, spy -> host 8080/tcp, 8081/tcp: reached web as host@docker0
            * -> host 8080/tcp, 8081/tcp: reached web
            ${others}
          `,
        },
      ],
    },
    {
      name: 'destroyed-network-does-not-return',
      about: 'A network that was destroyed before a restart does not come back: no zombies.',
      networks: [...closed, { name: 'gone', subnet: '172.18.0.0/16' }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web'] } },
      stages: [
        {
          steps: [{ do: 'destroyNetwork', network: 'gone' }, { do: 'reopen' }],
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
        {
          title: 'its name and pool are free',
          steps: [{ do: 'createNetwork', network: { name: 'gone', subnet: '172.18.0.0/16' } }],
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'reboot',
      about:
        "Nothing of it is in the kernel any more: open builds networks and the users' rules again, reports the containers that are gone, and they can be attached anew.",
      networks: closed,
      containers: { web: { expose: ['80/tcp'], publish: ['8080:81', '8081:80'] }, app: {} },
      hostPorts: ['8080/tcp', '8081/tcp'],
      stages: [
        {
          title: 'after the reboot',
          steps: [{ do: 'userRule', chain: 'inbound', rule: notFromUplinkTo80 }, { do: 'reboot' }],
          expect: `
            * -> host 8080/tcp, 8081/tcp: refused
            * -> host 9000/tcp, icmp: reached
            host -> outside: reached
          `,
          checks: [
            { check: 'lost', containers: ['web', 'app'] },
            { check: 'sysctl', name: 'net.ipv4.ip_forward', is: '1' },
          ],
        },
        {
          title: 'attached anew',
          steps: [
            { do: 'attach', container: 'web' },
            { do: 'attach', container: 'app', options: { links: ['web'] } },
          ],
          expect: `
            app -> web 80/tcp, 81/tcp: reached
            outside -> host 8081/tcp: blocked
            web, app -> host 8080/tcp, 8081/tcp: reached web as host@docker0
            * -> host 8080/tcp, 8081/tcp: reached web
            ${others}
          `,
        },
      ],
    },
    {
      name: 'detach-when-namespace-is-dead',
      about: 'A container whose namespace is dead is detached as any other; its address and ports are free.',
      networks: closed,
      containers: {
        web: { expose: ['80/tcp'], publish: ['8080:81'] },
        app: { links: ['web'] },
        next: { later: true, expose: ['80/tcp'], address: '172.17.0.2', publish: ['8080:80'] },
      },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          steps: [
            { do: 'killNamespace', container: 'web' },
            { do: 'detach', container: 'web' },
            { do: 'attach', container: 'next' },
          ],
          expect: `
            next, app -> host 8080/tcp: reached next as host@docker0
            * -> host 8080/tcp: reached next
            ${others}
          `,
        },
      ],
    },
    {
      name: 'failed-attach-can-be-repeated',
      about: 'An attach that fails leaves nothing, and succeeds when the reason is gone.',
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16' }],
      containers: {
        web: { publish: ['8080:80'] },
        app: { later: true },
      },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          steps: [
            { do: 'attach', container: 'app', options: { publish: ['8080:81'] }, fails: 'NFB_PORT_TAKEN' },
            {
              do: 'attach',
              container: 'app',
              options: { address: '172.17.0.2' },
              fails: 'NFB_ADDRESS_TAKEN',
            },
            {
              do: 'attach',
              container: 'app',
              options: { address: '10.9.9.9' },
              fails: 'NFB_ADDRESS_OUTSIDE_POOL',
            },
            { do: 'attach', container: 'app', options: { links: ['nobody'] }, fails: 'NFB_NOT_FOUND' },
            { do: 'attach', container: 'app' },
          ],
          expect: `
            web, app -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
          checks: [{ check: 'address', container: 'app', is: '172.17.0.3' }],
        },
      ],
    },
  ],
}

/** Links: what they open, what they are refused for, and what they tell the client. */
import type { LinkMode } from 'nfbridge'
import type { Group, Scenario } from '../scenario.js'
import { inward, outward } from './rows.js'

const subnet = '172.17.0.0/16'
const closed = [{ name: 'docker0', subnet, icc: false }]
const webId = 'abcdef012345'.padEnd(64, '0')

const others = `
  containers -> containers: blocked
  ${inward}
  ${outward}
`

export const links: Group = {
  name: 'links',
  scenarios: [
    {
      name: 'link-one-way-not-transitive',
      about: 'A link opens the exposed ports only, one way, not transitively.',
      networks: closed,
      containers: {
        web: { expose: ['80/tcp', '53/udp'] },
        app: { expose: ['80/tcp'], links: ['web:db'] },
        top: { links: ['app'] },
      },
      stages: [
        {
          expect: `
            app -> web 80/tcp, 53/udp: reached
            top -> app 80/tcp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-ipv6',
      about: 'A link opens both families, and the client finds the server by neighbour discovery.',
      networks: [
        { name: 'docker0', ipv6: true, pools: [{ subnet }, { subnet: 'fd00:17::/64' }], icc: false },
      ],
      containers: { web: { expose: ['80/tcp', '53/udp'] }, app: { links: ['web:db'] }, spy: {} },
      stages: [
        {
          expect: `
            app -> web 80/tcp, 53/udp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp', 'app -> web 80/tcp (ipv6)', 'app -> outside 80/tcp (ipv6)'],
        },
        {
          title: 'unlinked',
          steps: [{ do: 'unlink', container: 'app', link: 'db' }],
          held: `
            app -> web 80/tcp: stops
            app -> web 80/tcp (ipv6): stops
            app -> outside 80/tcp (ipv6): lives
          `,
          expect: others,
        },
      ],
    },
    {
      name: 'link-on-open-network',
      about: 'With icc a link opens nothing that is not open; unlinking closes nothing.',
      networks: [{ name: 'docker0', subnet }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web'] } },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
          hold: ['app -> web 80/tcp'],
        },
        {
          title: 'unlinked',
          steps: [{ do: 'unlink', container: 'app', link: 'web' }],
          held: 'app -> web 80/tcp: lives',
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'link-opens-published-ports',
      about: 'A port that is published but not exposed is opened by a link as well.',
      networks: closed,
      containers: { web: { publish: ['8080:81'] }, app: { links: ['web'] }, spy: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            app -> web 81/tcp: reached
            web, app, spy -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            ${others}
          `,
          hold: ['app -> web 81/tcp'],
        },
        {
          title: 'unpublished',
          steps: [{ do: 'unpublish', container: 'web', ports: ['8080:81'] }],
          held: 'app -> web 81/tcp: stops',
          expect: `
            * -> host 8080/tcp: refused
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-without-exposed-ports',
      about: 'A server that exposes nothing: the link opens nothing, and tells the name alone.',
      networks: closed,
      containers: { web: {}, app: { links: ['web:db'] } },
      stages: [
        {
          expect: others,
          checks: [
            { check: 'variables', container: 'app', has: { DB_NAME: '/app/db', DB_PORT: '(none)' } },
            { check: 'hosts', container: 'app', lines: ['172.17.0.2 db <id:web> web'] },
          ],
        },
      ],
    },
    {
      name: 'link-by-name-and-ids',
      about: 'A server is named by its name, its full id or its short id.',
      networks: closed,
      containers: { web: { id: webId, expose: ['80/tcp'] }, one: {}, two: {}, three: {} },
      stages: [
        {
          steps: [
            { do: 'link', container: 'one', link: 'web' },
            { do: 'link', container: 'two', link: `${webId}:db` },
            { do: 'link', container: 'three', link: `${webId.slice(0, 12)}:db` },
          ],
          expect: `
            one, two, three -> web 80/tcp: reached
            ${others}
          `,
        },
        {
          title: 'unlinked by name and ids',
          steps: [
            { do: 'unlink', container: 'one', link: 'web' },
            { do: 'unlink', container: 'two', link: webId },
            { do: 'unlink', container: 'three', link: webId.slice(0, 12) },
          ],
          expect: others,
        },
      ],
    },
    {
      name: 'link-refused',
      about:
        'Refused: a host name, who is not there, itself, a second link with the same alias, a container that uses the host network, a stopped one, one of another network. Nothing is opened by what is refused.',
      networks: [...closed, { name: 'other', subnet: '172.18.0.0/16', icc: false }],
      containers: {
        web: { expose: ['80/tcp'], hostname: 'www.example' },
        far: { on: 'other', expose: ['80/tcp'] },
        idle: { expose: ['80/tcp'] },
        app: {},
      },
      stages: [
        {
          steps: [
            { do: 'stop', container: 'idle' },
            { do: 'hostContainer', name: 'bare' },
            { do: 'link', container: 'app', link: 'www.example:db', fails: 'NFB_NOT_FOUND' },
            { do: 'link', container: 'app', link: 'nobody', fails: 'NFB_NOT_FOUND' },
            { do: 'link', container: 'app', link: 'app:me', fails: 'NFB_LINK_REFUSED' },
            { do: 'link', container: 'app', link: 'bare', fails: 'NFB_LINK_REFUSED' },
            { do: 'link', container: 'app', link: 'idle', fails: 'NFB_LINK_REFUSED' },
            { do: 'link', container: 'app', link: 'far', fails: 'NFB_LINK_REFUSED' },
          ],
          expect: others,
        },
        {
          title: 'one alias twice',
          steps: [
            { do: 'link', container: 'app', link: 'web:db' },
            { do: 'start', container: 'idle' },
            { do: 'link', container: 'app', link: 'idle:db', fails: 'NFB_NAME_TAKEN' },
          ],
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-two-aliases',
      about: 'Two links to one server: taken back by one alias it stays open by the other.',
      networks: closed,
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web:db', 'web:store'] } },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp'],
        },
        {
          title: 'one alias less',
          steps: [{ do: 'unlink', container: 'app', link: 'db' }],
          held: 'app -> web 80/tcp: lives',
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
        {
          title: 'none left',
          steps: [{ do: 'unlink', container: 'app', link: 'store' }],
          held: 'app -> web 80/tcp: stops',
          expect: others,
        },
      ],
    },
    {
      name: 'link-revoked-at-once',
      about:
        'Unlinking stops the open connections of that link, exactly those: another client of the server goes on, and the way outward.',
      networks: closed,
      containers: { web: { expose: ['80/tcp', '53/udp'] }, app: { links: ['web'] }, top: { links: ['web'] } },
      stages: [
        {
          expect: `
            app, top -> web 80/tcp, 53/udp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp', 'app -> web 53/udp', 'top -> web 80/tcp', 'app -> outside 80/tcp'],
        },
        {
          title: 'unlinked',
          steps: [{ do: 'unlink', container: 'app', link: 'web' }],
          held: `
            app -> web 80/tcp: stops
            app -> web 53/udp: stops
            top -> web 80/tcp: lives
            app -> outside 80/tcp: lives
          `,
          expect: `
            top -> web 80/tcp, 53/udp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-follows-exposed-ports',
      about:
        'A link opens what the server exposes at the moment, also what it exposes later; what it takes back stops.',
      networks: closed,
      containers: { web: {}, app: { links: ['web:db'] } },
      stages: [
        { expect: others },
        {
          title: 'exposed',
          steps: [{ do: 'expose', container: 'web', ports: ['80/tcp', '81/tcp'] }],
          expect: `
            app -> web 80/tcp, 81/tcp: reached
            ${others}
          `,
          hold: ['app -> web 80/tcp', 'app -> web 81/tcp'],
        },
        {
          title: 'one of them no more',
          steps: [{ do: 'unexpose', container: 'web', ports: ['81/tcp'] }],
          held: `
            app -> web 80/tcp: lives
            app -> web 81/tcp: stops
          `,
          expect: `
            app -> web 80/tcp: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-range-of-ports',
      about: 'An exposed range is opened from its first port to its last.',
      networks: closed,
      ports: ['7999/tcp', '8000/tcp', '8001/tcp', '8002/tcp', '8003/tcp'],
      containers: { web: { expose: ['8000-8002'] }, app: { links: ['web'] } },
      stages: [
        {
          expect: `
            app -> web 8000-8002/tcp: reached
            ${others}
          `,
          checks: [
            {
              check: 'variables',
              container: 'app',
              has: {
                WEB_PORT: 'tcp://172.17.0.2:8000',
                WEB_PORT_8000_TCP_START: 'tcp://172.17.0.2:8000',
                WEB_PORT_8000_TCP_END: 'tcp://172.17.0.2:8002',
                WEB_PORT_8000_TCP_PORT_START: '8000',
                WEB_PORT_8000_TCP_PORT_END: '8002',
              },
            },
          ],
        },
      ],
    },
    answered('stateful', 'blocked'),
    answered('stateless', 'reached app as web'),
    {
      name: 'link-names-and-variables',
      about:
        "The client's hosts lines (alias, host name, name, the name left out when it is the alias) and Docker's variables.",
      networks: closed,
      containers: {
        web: { hostname: 'www', expose: ['80/tcp', '443/tcp', '53/udp'] },
        cache: { expose: ['6379'] },
        app: { links: ['web:db', 'cache'] },
      },
      stages: [
        {
          expect: `
            app -> web 80/tcp, 53/udp: reached
            ${others}
          `,
          checks: [
            {
              check: 'hosts',
              container: 'app',
              lines: ['172.17.0.2 db www web', '172.17.0.3 cache <id:cache>'],
            },
            {
              check: 'variables',
              container: 'app',
              has: {
                DB_NAME: '/app/db',
                DB_PORT: 'udp://172.17.0.2:53',
                DB_PORT_80_TCP: 'tcp://172.17.0.2:80',
                DB_PORT_80_TCP_ADDR: '172.17.0.2',
                DB_PORT_80_TCP_PORT: '80',
                DB_PORT_80_TCP_PROTO: 'tcp',
                DB_PORT_53_UDP: 'udp://172.17.0.2:53',
                DB_PORT_443_TCP: 'tcp://172.17.0.2:443',
                CACHE_NAME: '/app/cache',
                CACHE_PORT: 'tcp://172.17.0.3:6379',
              },
            },
          ],
        },
      ],
    },
  ],
}

/** A link in one of its two forms, and what the server may send from a port that it exposes without being asked. */
function answered(linkMode: LinkMode, unasked: string): Scenario {
  return {
    name: `link-${linkMode}`,
    about: `linkMode ${linkMode}: a linked connection works, one way; unasked, the server's port ${linkMode === 'stateless' ? "is let through by the second rule of Docker's pair" : 'sends nothing'}.`,
    networks: [{ name: 'docker0', subnet, icc: false, linkMode }],
    containers: { web: { expose: ['80/tcp', '53/udp', '7000/udp'] }, app: { links: ['web:db'] }, spy: {} },
    targets: [
      { name: 'unasked', address: '172.17.0.3', from: ['web', 'spy'], ports: ['53/udp'], sourcePort: 7000 },
    ],
    stages: [
      {
        expect: `
          web -> unasked: ${unasked}
          spy -> unasked: blocked
          app -> web 80/tcp, 53/udp: reached
          ${others}
        `,
        hold: ['app -> web 80/tcp', 'app -> web 53/udp'],
      },
      {
        title: 'unlinked',
        steps: [{ do: 'unlink', container: 'app', link: 'db' }],
        held: `
          app -> web 80/tcp: stops
          app -> web 53/udp: stops
        `,
        expect: `
          web, spy -> unasked: blocked
          ${others}
        `,
      },
    ],
  }
}

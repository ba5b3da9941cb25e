/** Between containers of one network: icc, on and off, and changed while they run. */
import type { Group } from '../scenario.js'
import { inward, outward } from './rows.js'

const subnet = '172.17.0.0/16'
const dual = [{ subnet }, { subnet: 'fd00:17::/64' }]

export const communication: Group = {
  name: 'communication',
  scenarios: [
    {
      name: 'icc-on',
      about:
        'The default: containers reach each other on everything and see who it is; the outside sees the host, and does not reach in.',
      networks: [{ name: 'docker0', subnet }],
      containers: { web: {}, app: {}, spy: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            host -> containers: reached as host@docker0
            ${inward.replace('host -> containers: reached', '')}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-on-ipv6',
      about: 'The same in both families.',
      networks: [{ name: 'docker0', ipv6: true, pools: dual }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-off',
      about: 'icc=false: nothing between containers, icmp neither; outward all the same.',
      networks: [{ name: 'docker0', subnet, icc: false }],
      containers: { web: { expose: ['80/tcp'] }, app: {}, spy: {} },
      stages: [
        {
          expect: `
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-off-ipv6',
      about: 'icc=false in both families: neighbour discovery passes, nothing else.',
      networks: [{ name: 'docker0', ipv6: true, pools: dual, icc: false }],
      containers: { web: { expose: ['80/tcp'] }, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-off-on-an-adopted-bridge',
      about:
        'icc=false on a bridge that was there: only links open anything between containers, by tracking.',
      bridges: ['br-own'],
      networks: [{ name: 'br-own', ipv6: true, pools: dual, adopt: true, icc: false }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web:db'] }, spy: {} },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-off-on-an-adopted-bridge-untracked',
      about: 'The same without tracking: the bridge judges.',
      bridges: ['br-own'],
      networks: [{ name: 'br-own', ipv6: true, pools: dual, adopt: true, icc: false, tracking: false }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web:db'] }, spy: {} },
      stages: [
        {
          expect: `
            app -> web 80/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-per-network',
      about: 'One network with icc, one without: each keeps its own setting.',
      networks: [
        { name: 'open', subnet: '172.18.0.0/16' },
        { name: 'closed', subnet: '172.19.0.0/16', icc: false },
      ],
      containers: {
        one: { on: 'open' },
        two: { on: 'open' },
        three: { on: 'closed' },
        four: { on: 'closed' },
      },
      stages: [
        {
          expect: `
            one, two -> one, two: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-changed-while-running',
      about:
        'icc off and on again: connections that only icc allowed stop, those of links and those outward live on without a lost packet.',
      networks: [{ name: 'docker0', subnet }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web'] }, spy: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
          hold: ['app -> web 80/tcp', 'spy -> web 80/tcp', 'app -> web 53/udp', 'app -> outside 80/tcp'],
        },
        {
          title: 'icc off',
          steps: [{ do: 'icc', network: 'docker0', icc: false }],
          held: `
            app -> web 80/tcp: lives
            spy -> web 80/tcp: stops
            app -> web 53/udp: stops
            app -> outside 80/tcp: lives
          `,
          expect: `
            app -> web 80/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'icc on again',
          steps: [{ do: 'icc', network: 'docker0', icc: true }],
          held: `
            app -> web 80/tcp: lives
            app -> outside 80/tcp: lives
          `,
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-off-sctp',
      about: 'SCTP as the others: dropped without a link, opened by one.',
      networks: [{ name: 'docker0', subnet, icc: false }],
      ports: ['99/sctp', '98/tcp', 'icmp'],
      containers: { web: { expose: ['99/sctp'] }, app: { links: ['web'] }, spy: {} },
      stages: [
        {
          expect: `
            app -> web 99/sctp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'icc-on-sctp',
      about: 'SCTP between containers and outward.',
      networks: [{ name: 'docker0', subnet }],
      ports: ['99/sctp'],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
  ],
}

/** Several networks: isolation, containers on two of them, default routes, many bridges. */
import type { Isolation } from 'nfbridge'
import type { Group, Scenario } from '../scenario.js'
import { inward, outward } from './rows.js'

const front = { name: 'front', subnet: '172.18.0.0/16' }
const back = { name: 'back', subnet: '172.19.0.0/16' }
const others = `
  ${inward}
  ${outward}
`

/** One container on each of two networks; the first publishes a port, which the isolation does not concern. */
function isolation(one: Isolation, other: Isolation, between: 'reached' | 'blocked'): Scenario {
  return {
    name: `isolation-${one}-${other}`,
    about: `A network of isolation "${one}" beside one of "${other}"; ports of the host work in any case.`,
    networks: [
      { ...front, isolation: one },
      { ...back, isolation: other },
    ],
    containers: { web: { on: 'front', publish: ['8080:80'] }, db: { on: 'back' }, app: { on: 'front' } },
    hostPorts: ['8080/tcp'],
    stages: [
      {
        expect: `
          web, app -> host 8080/tcp: reached web as host@front
          * -> host 8080/tcp: reached web
          web, app -> web, app: reached
          web, app -> db: ${between}
          db -> web, app: ${between}
          ${others}
        `,
      },
    ],
  }
}

export const networks: Group = {
  name: 'networks',
  scenarios: [
    isolation('default', 'default', 'blocked'),
    isolation('none', 'none', 'reached'),
    isolation('none', 'default', 'reached'),
    isolation('none', 'strict', 'blocked'),
    isolation('default', 'strict', 'blocked'),
    isolation('strict', 'strict', 'blocked'),
    {
      name: 'container-on-two-networks',
      about:
        'A container on both of two networks is reached by the address of the shared one only, and joins them for nobody.',
      networks: [front, back],
      containers: { web: { on: 'front' }, db: { on: 'back' }, app: { on: ['front', 'back'] } },
      stages: [
        {
          expect: `
            app -> web: reached as app@front
            app -> db: reached as app@back
            web -> app@front: reached
            db -> app@back: reached
            containers -> containers: blocked
            ${others}
          `,
        },
      ],
    },
    {
      name: 'link-over-the-shared-network',
      about:
        'Without icc, a container on two networks links to a server on each; between the two there is nothing.',
      networks: [
        { ...front, icc: false },
        { ...back, icc: false },
      ],
      containers: {
        web: { on: 'front', expose: ['80/tcp'] },
        db: { on: 'back', expose: ['81/tcp'] },
        app: { on: ['front', 'back'], links: ['web'] },
      },
      stages: [
        {
          steps: [
            { do: 'link', container: 'app', link: 'db' },
            { do: 'link', container: 'web', link: 'db', fails: 'NFB_LINK_REFUSED' },
          ],
          expect: `
            app -> web 80/tcp: reached as app@front
            app -> db 81/tcp: reached as app@back
            containers -> containers: blocked
            ${others}
          `,
        },
      ],
    },
    {
      name: 'connect-and-disconnect',
      about:
        'A container that runs is connected with another network, and disconnected again; open connections over it stop, others live.',
      networks: [front, back],
      containers: { web: { on: 'front' }, db: { on: 'back' }, app: { on: 'front' } },
      stages: [
        {
          expect: `
            web, app -> web, app: reached
            containers -> containers: blocked
            ${others}
          `,
        },
        {
          title: 'connected',
          steps: [{ do: 'connect', container: 'app', network: 'back' }],
          expect: `
            app -> db: reached as app@back
            app -> web: reached as app@front
            web -> app@front: reached
            db -> app@back: reached
            containers -> containers: blocked
            ${others}
          `,
          hold: ['app -> db 80/tcp', 'app -> web 80/tcp', 'app -> outside 80/tcp'],
        },
        {
          title: 'disconnected',
          steps: [{ do: 'disconnect', container: 'app', network: 'back' }],
          held: `
            app -> db 80/tcp: stops
            app -> web 80/tcp: lives
            app -> outside 80/tcp: lives
          `,
          expect: `
            web, app -> web, app: reached
            containers -> containers: blocked
            ${others}
          `,
        },
      ],
    },
    {
      name: 'default-route-by-priority',
      about:
        'The default route goes by the network of the highest priority, and falls back when that is disconnected.',
      networks: [
        { ...front, masquerade: false },
        { ...back, masquerade: false },
      ],
      containers: { app: { on: ['front', 'back'], endpoints: { back: { priority: 10 } } } },
      stages: [
        {
          expect: `
            ${inward}
            app -> outside: reached as app@back
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'defaultRoute', container: 'app', interface: 'eth1' }],
        },
        {
          title: 'disconnected from it',
          steps: [{ do: 'disconnect', container: 'app', network: 'back' }],
          expect: `
            ${inward}
            app -> outside: reached as app@front
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'defaultRoute', container: 'app', interface: 'eth0' }],
        },
      ],
    },
    {
      name: 'default-route-by-time',
      about: 'Of networks of equal priority the first goes.',
      networks: [
        { ...front, masquerade: false },
        { ...back, masquerade: false },
      ],
      containers: { app: { on: ['front', 'back'] } },
      stages: [
        {
          expect: `
            ${inward}
            app -> outside: reached as app@front
            host -> outside: reached
            * -> host: reached
          `,
          checks: [{ check: 'defaultRoute', container: 'app', interface: 'eth0' }],
        },
      ],
    },
    {
      name: 'many-bridges',
      about:
        'A network over three bridges, routed between: containers of all of them reach each other as on one.',
      networks: [{ name: 'wide', subnet: '172.20.0.0/22', bridges: 3 }],
      containers: { one: {}, two: {}, three: {}, four: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${others}
          `,
        },
      ],
    },
    {
      name: 'many-bridges-icc-off',
      about: 'The same with icc off: closed between the bridges as on each, and links lead over them.',
      networks: [{ name: 'wide', subnet: '172.20.0.0/22', bridges: 3, icc: false }],
      containers: {
        one: { expose: ['80/tcp'] },
        two: { links: ['one'], expose: ['81/tcp'] },
        three: { links: ['one', 'two'] },
        four: {},
      },
      stages: [
        {
          expect: `
            two, three -> one 80/tcp: reached
            three -> two 81/tcp: reached
            containers -> containers: blocked
            ${others}
          `,
          hold: ['three -> one 80/tcp', 'three -> two 81/tcp'],
        },
        {
          title: 'one link less',
          steps: [{ do: 'unlink', container: 'three', link: 'one' }],
          held: `
            three -> one 80/tcp: stops
            three -> two 81/tcp: lives
          `,
          expect: `
            two -> one 80/tcp: reached
            three -> two 81/tcp: reached
            containers -> containers: blocked
            ${others}
          `,
        },
      ],
    },
  ],
}

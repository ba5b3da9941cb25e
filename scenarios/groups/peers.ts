/** Two hosts with a link between them. */
import type { Group, Scenario, Stage } from '../scenario.js'

const one = '172.17.0.0/16'
const two = '172.18.0.0/16'
const peerOfOne = { subnet: two, via: '192.0.2.2' }
const peerOfTwo = { subnet: one, via: '192.0.2.1' }

/** What holds between the machines of each host and with the outside, whatever leads between the two. */
const each = `
  outside -> web: blocked
  web -> outside: reached as host
  host -> outside: reached
  host -> web: reached
  host2 -> far: reached
  host -> host2: reached
  host2 -> host: reached
  web -> host: reached
  far -> host2: reached
  outside -> host: reached
  web -> host2: reached as host@between
  far -> host: reached as host2@between
`
const together = `
  web -> far: reached
  far -> web: reached
`
/**
 * No way there: it goes out by the default route, and comes to nothing; the second host has none, and the kernel limits how often
 * it says so.
 */
const apart = `
  web -> far: blocked
  far -> web: unreachable | blocked
  host -> far: blocked
  host2 -> web: unreachable
`
const routed = `
  host -> far: blocked
  host2 -> web: blocked
`

const setting: Pick<Scenario, 'networks' | 'containers'> = {
  networks: [{ name: 'docker0', subnet: one }],
  containers: { web: {} },
}

const routes: Stage['steps'] = [
  { do: 'addRoute', machine: 'host', to: two, via: '192.0.2.2' },
  { do: 'addRoute', machine: 'host2', to: one, via: '192.0.2.1' },
]

export const peers: Group = {
  name: 'peers',
  scenarios: [
    {
      name: 'peers',
      about:
        "Another host's subnet as a peer: both directions, under the containers' own addresses; taken back, and after a restart.",
      ...setting,
      peers: [peerOfOne],
      second: {
        networks: [{ name: 'docker0', subnet: two }],
        containers: { far: {} },
        peers: [peerOfTwo],
      },
      stages: [
        {
          expect: `
            ${together}
            ${routed}
            ${each}
          `,
          hold: ['web -> far 80/tcp', 'far -> web 80/tcp'],
        },
        {
          title: 'opened again',
          steps: [{ do: 'reopen' }, { do: 'reopen', on: 'host2' }],
          held: `
            web -> far 80/tcp: lives
            far -> web 80/tcp: lives
          `,
          expect: `
            ${together}
            ${routed}
            ${each}
          `,
        },
        {
          title: 'removed on both hosts',
          steps: [
            { do: 'removePeer', subnet: two },
            { do: 'removePeer', subnet: one, on: 'host2' },
          ],
          held: `
            web -> far 80/tcp: stops
            far -> web 80/tcp: stops
          `,
          expect: `
            ${apart}
            ${each}
          `,
        },
      ],
    },
    {
      name: 'peers-with-icc-off',
      about:
        'icc is about one network: peers come in all the same, and are closed out by nothing but their removal.',
      networks: [{ name: 'docker0', subnet: one, icc: false }],
      containers: { web: {} },
      peers: [peerOfOne],
      second: {
        networks: [{ name: 'docker0', subnet: two, icc: false }],
        containers: { far: {} },
        peers: [peerOfTwo],
      },
      stages: [
        {
          expect: `
            ${together}
            ${routed}
            ${each}
          `,
        },
      ],
    },
    {
      name: 'two-hosts-accept',
      about:
        "Routes by somebody else and forwardPolicy accept: containers reach each other, and see the other host's address.",
      ...setting,
      options: { forwardPolicy: 'accept' },
      second: {
        options: { forwardPolicy: 'accept' },
        networks: [{ name: 'docker0', subnet: two }],
        containers: { far: {} },
      },
      stages: [
        {
          steps: routes,
          expect: `
            web -> far: reached as host@between
            far -> web: reached as host2@between
            host -> far: reached as host@between
            host2 -> web: reached as host2@between
            outside -> web: reached
            ${each.replace('outside -> web: blocked', '')}
          `,
        },
      ],
    },
    {
      name: 'two-hosts-accept-except',
      about:
        "The same with masquerading limited: the other host's containers see the container's own address.",
      networks: [{ name: 'docker0', subnet: one, masquerade: { except: [two] } }],
      containers: { web: {} },
      options: { forwardPolicy: 'accept' },
      second: {
        options: { forwardPolicy: 'accept' },
        networks: [{ name: 'docker0', subnet: two, masquerade: { except: [one] } }],
        containers: { far: {} },
      },
      stages: [
        {
          steps: routes,
          expect: `
            ${together}
            host -> far: reached as host@between
            host2 -> web: reached as host2@between
            outside -> web: reached
            ${each.replace('outside -> web: blocked', '')}
          `,
        },
      ],
    },
    {
      name: 'two-hosts-without-policy',
      about: 'Routes alone open nothing: the receiving host drops what it does not know as a peer.',
      ...setting,
      second: { networks: [{ name: 'docker0', subnet: two }], containers: { far: {} } },
      stages: [
        {
          steps: routes,
          expect: `
            web -> far: blocked
            far -> web: blocked
            ${routed}
            ${each}
          `,
        },
      ],
    },
  ],
}

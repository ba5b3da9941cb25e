/** Two programs with a host each in one namespace. */
import type { Group, Scenario } from '../scenario.js'

const setting: Pick<Scenario, 'networks' | 'containers'> = {
  networks: [{ name: 'red', subnet: '172.18.0.0/16' }],
  containers: { r1: { publish: ['8081:80'] }, r2: {} },
}
const blue = { name: 'blue', subnet: '172.19.0.0/16' } as const
const options = { name: 'nfbridge-blue' } as const
const containers = { b1: { publish: ['8082:80'] }, b2: {} } as const

/** Ways out, and what leads in, are those of each by itself. */
const each = `
  containers -> outside: reached as host
  host -> outside, containers: reached
  outside -> containers: blocked
  * -> host 9000/tcp, icmp: reached
`
/** Who is on the bridge of a published port is seen as the bridge there. */
const published = `
  r1, r2 -> host 8081/tcp: reached r1 as host@red
  b1, b2 -> host 8082/tcp: reached b1 as host@blue
  * -> host 8081/tcp, localhost 8081/tcp: reached r1
  * -> host 8082/tcp, localhost 8082/tcp: reached b1
`
const isolated = `
  r1, r2 -> b1, b2: blocked
  b1, b2 -> r1, r2: blocked
`
const hostPorts = ['8081/tcp', '8082/tcp']

export const beside: Group = {
  name: 'beside',
  scenarios: [
    {
      name: 'beside-each-other',
      about:
        'Two programs in one namespace, both with the policy drop: neither cuts the other off; their networks are isolated, and published ports reached by all.',
      ...setting,
      options: { forwardPolicy: 'drop' },
      beside: { options: { ...options, forwardPolicy: 'drop' }, networks: [blue], containers },
      hostPorts,
      stages: [
        {
          expect: `
            r1 -> r2: reached
            r2 -> r1: reached
            b1 -> b2: reached
            b2 -> b1: reached
            ${isolated}
            ${each}
            ${published}
          `,
          hold: ['r1 -> outside 80/tcp', 'b1 -> b2 80/tcp', 'outside -> host 8082/tcp'],
        },
        {
          title: 'the one opened again, the other with icc closed',
          steps: [
            { do: 'reopen' },
            { do: 'icc', network: 'blue', icc: false, on: 'beside' },
            { do: 'reopen', on: 'beside' },
          ],
          held: `
            r1 -> outside 80/tcp: lives
            b1 -> b2 80/tcp: stops
            outside -> host 8082/tcp: lives
          `,
          expect: `
            r1 -> r2: reached
            r2 -> r1: reached
            b1 -> b2: blocked
            b2 -> b1: blocked
            ${isolated}
            ${each}
            ${published}
          `,
        },
        {
          title: 'the one without networks',
          steps: [{ do: 'destroyNetwork', network: 'red' }],
          held: `
            r1 -> outside 80/tcp: stops
            outside -> host 8082/tcp: lives
          `,
          expect: `
            b1 -> b2: blocked
            b2 -> b1: blocked
            ${each}
            b1, b2 -> host 8082/tcp: reached b1 as host@blue
            * -> host 8082/tcp, localhost 8082/tcp: reached b1
            * -> host 8081/tcp, localhost 8081/tcp: refused
          `,
        },
      ],
    },
    {
      name: 'beside-open-to-each-other',
      about:
        'Networks of both that are isolated from nobody: containers reach each other under their own addresses.',
      ...setting,
      networks: [{ name: 'red', subnet: '172.18.0.0/16', isolation: 'none', icc: false }],
      beside: { options, networks: [{ ...blue, isolation: 'none' }], containers },
      hostPorts,
      stages: [
        {
          expect: `
            r1 -> r2: blocked
            r2 -> r1: blocked
            b1 -> b2: reached
            b2 -> b1: reached
            r1, r2 -> b1, b2: reached
            b1, b2 -> r1, r2: reached
            ${each}
            ${published}
          `,
        },
      ],
    },
    {
      name: 'beside-strict',
      about:
        'A strict network of the one keeps the other off, which is isolated from nobody; published ports work in all.',
      ...setting,
      networks: [{ name: 'red', subnet: '172.18.0.0/16', isolation: 'strict' }],
      beside: { options, networks: [{ ...blue, isolation: 'none' }], containers },
      hostPorts,
      stages: [
        {
          expect: `
            r1 -> r2: reached
            r2 -> r1: reached
            b1 -> b2: reached
            b2 -> b1: reached
            ${isolated}
            ${each}
            ${published}
          `,
        },
      ],
    },
    {
      name: 'beside-strict-that-comes-later',
      about:
        'A strict network of the one comes when the rules of the other stand already, which has none: it keeps the other off all the same.',
      networks: [],
      containers: { r1: { on: 'red', later: true }, r2: { on: 'red', later: true } },
      beside: { options, networks: [{ ...blue, isolation: 'none' }], containers },
      hostPorts: ['8082/tcp'],
      stages: [
        {
          steps: [
            { do: 'createNetwork', network: { name: 'red', subnet: '172.18.0.0/16', isolation: 'strict' } },
            { do: 'attach', container: 'r1' },
            { do: 'attach', container: 'r2' },
          ],
          expect: `
            r1 -> r2: reached
            r2 -> r1: reached
            b1 -> b2: reached
            b2 -> b1: reached
            ${isolated}
            ${each}
            b1, b2 -> host 8082/tcp: reached b1 as host@blue
            * -> host 8082/tcp, localhost 8082/tcp: reached b1
          `,
        },
      ],
    },
    {
      name: 'beside-with-internal',
      about:
        'An internal network of the one: no way out and none in; the other, routed, is reached by its own addresses.',
      networks: [{ name: 'red', subnet: '172.18.0.0/16', internal: true }],
      containers: { r1: {}, r2: {} },
      beside: {
        options,
        networks: [{ ...blue, gatewayMode: 'nat-unprotected' }],
        containers,
      },
      hostPorts: ['8082/tcp'],
      stages: [
        {
          expect: `
            r1 -> r2: reached
            r2 -> r1: reached
            b1 -> b2: reached
            b2 -> b1: reached
            r1, r2 -> b1, b2: unreachable
            b1, b2 -> r1, r2: blocked
            b1, b2 -> outside: reached as host
            outside -> b1, b2: reached
            outside -> r1, r2: blocked
            r1, r2 -> outside: unreachable
            host -> outside, containers: reached
            b1, b2 -> host 8082/tcp: reached b1 as host@blue
            outside, host -> host 8082/tcp, localhost 8082/tcp: reached b1
            b1, b2, outside -> host 9000/tcp, icmp: reached
            r1, r2 -> host@red 9000/tcp, icmp: reached
            r1, r2 -> host: blocked | unreachable
          `,
        },
      ],
    },
  ],
}

/** Between containers of one network: icc, on and off, and changed while they run (issue 4, points 8 and 13). */
import type { Group } from '../scenario.js'

const subnet = '172.17.0.0/16'

export const communication: Group = {
  name: 'communication',
  scenarios: [
    {
      name: 'icc-on',
      about:
        'The default: containers reach each other on everything and see who it is; the outside sees the host, and does not reach in.',
      networks: [{ name: 'docker0', subnet }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers, host -> containers: reached
            outside -> containers: blocked
            containers -> outside: reached as host
            host -> outside: reached
            * -> host: reached
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
            host -> containers: reached as host@docker0
            outside -> containers: blocked
            containers -> outside: reached as host
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
  ],
}

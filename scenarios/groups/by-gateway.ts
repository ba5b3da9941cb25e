/** Neighbours who send to each other by the gateway: the host routes their packets back to the bridge that they came from. */
import type { Group, Scenario, Step } from '../scenario.js'
import { inward, outward } from './rows.js'

const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]

const others = `
  containers -> containers: blocked
  ${inward}
  ${outward}
`

const client: Step = { do: 'throughGateway', container: 'app', to: 'web' }
const server: Step = { do: 'throughGateway', container: 'web', to: 'app' }

/**
 * TCP tells by its flags what is an answer. Answers over UDP that take another way than their questions come through where
 * connections are tracked alone, and no scenario hangs on that.
 */
function linked(who: string, steps: readonly Step[], linkMode: 'stateful' | 'stateless'): Scenario {
  const ports = who === 'both' ? ['80/tcp', '53/udp'] : ['80/tcp']
  const open = `app -> web ${ports.join(', ')}: reached`
  const held = [...ports.map((port) => `app -> web ${port}`), 'app -> web 80/tcp (ipv6)']
  return {
    name: `by-gateway-${who}${linkMode === 'stateless' ? '-stateless' : ''}`,
    about: `A link opens what it opens where packets of ${who === 'both' ? 'client and server' : `the ${who}`} take the way by the gateway.`,
    networks: [{ name: 'docker0', ipv6: true, pools, icc: false, linkMode }],
    containers: { web: { expose: ports }, app: { links: ['web'] }, spy: {} },
    stages: [
      {
        steps,
        expect: `
          ${open}
          ${others}
        `,
        hold: held,
      },
      {
        title: 'still linked',
        held: held.map((each) => `${each}: lives`).join('\n'),
        expect: `
          ${open}
          ${others}
        `,
      },
      {
        title: 'unlinked',
        steps: [{ do: 'unlink', container: 'app', link: 'web' }],
        held: held.map((each) => `${each}: stops`).join('\n'),
        expect: others,
      },
    ],
  }
}

export const byGateway: Group = {
  name: 'by-gateway',
  scenarios: [
    ...(['stateful', 'stateless'] as const).flatMap((linkMode) => [
      linked('client', [client], linkMode),
      linked('server', [server], linkMode),
      linked('both', [client, server], linkMode),
    ]),
    {
      name: 'by-gateway-open',
      about: 'With icc neighbours reach each other by the gateway as well, under their own addresses.',
      networks: [{ name: 'docker0', ipv6: true, pools }],
      containers: { web: {}, app: {} },
      stages: [
        {
          steps: [client, server],
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

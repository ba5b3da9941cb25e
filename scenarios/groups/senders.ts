/** Who sends as whom: a container has NET_RAW and NET_ADMIN, and does its worst. */
import type { Group } from '../scenario.js'
import { inward, outward } from './rows.js'

/** No UDP: an answer would come from the forged address too, which is not the one that was asked. */
const ports = ['80/tcp', '81/tcp', 'icmp']
const networks = [{ name: 'docker0', subnet: '172.17.0.0/16' }]

export const senders: Group = {
  name: 'senders',
  scenarios: [
    {
      name: 'stolen-address',
      about:
        "A container takes another's address as its own: everybody else still reaches the owner, who alone has no answer from it.",
      networks,
      containers: { web: {}, app: {}, evil: {} },
      stages: [
        {
          steps: [{ do: 'takeAddress', container: 'evil', address: '172.17.0.2/32' }],
          expect: `
            evil -> web: reached evil as web
            web -> evil: blocked
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'forged-sender',
      about: 'What a container sends from an address that it was not given is dropped, towards everybody.',
      ports,
      networks,
      containers: { web: {}, app: {}, evil: {} },
      stages: [
        {
          steps: [{ do: 'forge', container: 'evil', address: '172.17.0.77/16' }],
          expect: `
            evil -> *: blocked
            containers -> evil: reached
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'forged-sender-linked',
      about: 'A link is no use to who forges the address of its client.',
      ports,
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16', icc: false }],
      containers: { web: { expose: ['80/tcp'] }, app: { links: ['web'] }, evil: {} },
      stages: [
        {
          steps: [{ do: 'forge', container: 'evil', address: '172.17.0.3/16' }],
          expect: `
            evil -> app: reached evil
            evil -> *: blocked
            app -> web 80/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'allow-forged-source',
      about: 'A container that may send from any address does.',
      ports,
      networks,
      containers: { web: {}, router: { allowForgedSource: true } },
      stages: [
        {
          steps: [{ do: 'forge', container: 'router', address: '172.17.0.77/16' }],
          expect: `
            router -> outside: reached as host
            router -> web, host: reached as 172.17.0.77
            web -> router: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
  ],
}

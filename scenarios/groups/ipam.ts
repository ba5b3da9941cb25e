/** Addresses, interfaces and bridges. */
import type { Group } from '../scenario.js'
import { inward, outward } from './rows.js'

const open = `
  containers -> containers: reached
  ${inward}
  ${outward}
`

export const ipam: Group = {
  name: 'ipam',
  scenarios: [
    {
      name: 'range-exclusions-gateway',
      about:
        'Addresses are handed out from the range, without the exclusions; the gateway is the one that was asked for.',
      networks: [
        {
          name: 'docker0',
          subnet: '172.17.0.0/16',
          range: '172.17.5.0/29',
          exclude: ['172.17.5.0', '172.17.5.2'],
          gateway: '172.17.0.254',
        },
      ],
      containers: { one: {}, two: {} },
      stages: [
        {
          expect: open,
          checks: [
            { check: 'address', container: 'one', is: '172.17.5.1' },
            { check: 'address', container: 'two', is: '172.17.5.3' },
          ],
        },
      ],
    },
    {
      name: 'point-to-point-subnet',
      about: 'A /31 works: the gateway and one container.',
      networks: [{ name: 'small', subnet: '172.30.0.0/31' }],
      containers: { web: { publish: ['8080:80'] }, app: { later: true } },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          steps: [{ do: 'attach', container: 'app', fails: 'NFB_POOL_FULL' }],
          expect: `
            web -> host 8080/tcp: reached web as host@small
            * -> host 8080/tcp: reached web
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'isolated-point-to-point',
      about: 'An isolated /31 has no gateway: two containers.',
      networks: [{ name: 'small', subnet: '172.30.0.0/31', gatewayMode: 'isolated' }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: `
            containers -> containers: reached
            outside, host -> containers: blocked
            containers -> outside, host: unreachable
            host -> outside: reached
            * -> host: reached
          `,
        },
      ],
    },
    {
      name: 'several-pools',
      about:
        'When the first pool is full the second is used; containers of both reach each other and the outside.',
      networks: [{ name: 'docker0', pools: [{ subnet: '172.30.0.0/30' }, { subnet: '172.31.0.0/24' }] }],
      containers: { one: {}, two: {}, three: {} },
      stages: [
        {
          expect: open,
          checks: [
            { check: 'address', container: 'one', is: '172.30.0.2' },
            { check: 'address', container: 'two', is: '172.31.0.2' },
            { check: 'address', container: 'three', is: '172.31.0.3' },
          ],
        },
      ],
    },
    {
      name: 'several-pools-icc-off',
      about: 'The same with icc off: nothing between the pools either, but by a link.',
      networks: [
        { name: 'docker0', pools: [{ subnet: '172.30.0.0/30' }, { subnet: '172.31.0.0/24' }], icc: false },
      ],
      containers: { one: { expose: ['80/tcp'] }, two: { links: ['one'] }, three: {} },
      stages: [
        {
          expect: `
            two -> one 80/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'overlaps-refused',
      about:
        "Pools that overlap another network's or the host's own routes are refused; a default pool avoids them.",
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16' }],
      containers: { web: {}, app: { on: 'chosen', later: true } },
      stages: [
        {
          steps: [
            {
              do: 'createNetwork',
              network: { name: 'again', subnet: '172.17.128.0/24' },
              fails: 'NFB_POOL_OVERLAP',
            },
            {
              do: 'createNetwork',
              network: { name: 'uplinks', subnet: '203.0.113.128/25' },
              fails: 'NFB_POOL_OVERLAP',
            },
            { do: 'createNetwork', network: { name: 'chosen' } },
            { do: 'attach', container: 'app' },
          ],
          expect: `
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
          checks: [{ check: 'address', container: 'app', is: '172.18.0.2' }],
        },
      ],
    },
    {
      name: 'addresses-are-reused-late',
      about:
        'An address that was released is handed out again only when there is no fresh one; then the one that is free the longest.',
      networks: [{ name: 'docker0', subnet: '172.17.0.0/29' }],
      containers: { a: {}, b: {}, c: {}, d: { later: true }, e: { later: true }, f: { later: true } },
      stages: [
        {
          steps: [
            { do: 'detach', container: 'b' },
            { do: 'detach', container: 'a' },
            { do: 'attach', container: 'd' },
            { do: 'attach', container: 'e' },
            { do: 'attach', container: 'f' },
            { do: 'attach', container: 'a' },
            { do: 'attach', container: 'b', fails: 'NFB_POOL_FULL' },
          ],
          expect: open,
          checks: [
            { check: 'address', container: 'd', is: '172.17.0.5' },
            { check: 'address', container: 'e', is: '172.17.0.6' },
            { check: 'address', container: 'f', is: '172.17.0.3' },
            { check: 'address', container: 'a', is: '172.17.0.2' },
          ],
        },
      ],
    },
    {
      name: 'interface-names-mac-mtu',
      about: 'The name of the interface, its MAC and the MTU of the network are those that were asked for.',
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16', mtu: 1400 }],
      containers: { web: { interfaceName: 'net0', mac: '02:42:00:00:00:99' }, app: {} },
      stages: [
        {
          expect: open,
          checks: [
            { check: 'mtu', container: 'web', interface: 'net0', is: 1400 },
            { check: 'mtu', container: 'app', is: 1400 },
            { check: 'defaultRoute', container: 'web', interface: 'net0' },
          ],
        },
      ],
    },
    {
      name: 'mtu-of-the-uplink',
      about: 'Without an MTU of its own the network has that of the outgoing route.',
      uplinkMtu: 1400,
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16' }],
      containers: { web: {}, app: {} },
      stages: [{ expect: open, checks: [{ check: 'mtu', container: 'web', is: 1400 }] }],
    },
    {
      name: 'adopted-bridge',
      about: 'A bridge that is there is used when asked for, refused when not, and never deleted.',
      bridges: ['br-own'],
      networks: [{ name: 'br-own', subnet: '172.17.0.0/16', adopt: true }],
      containers: { web: {}, app: {} },
      stages: [
        {
          expect: open,
        },
        {
          title: 'opened again',
          steps: [{ do: 'reopen' }],
          expect: open,
        },
      ],
    },
    {
      name: 'bridge-of-somebody-else',
      about: 'Without adopt the name is taken, and nothing is changed.',
      bridges: ['br-own'],
      networks: [{ name: 'docker0', subnet: '172.18.0.0/16' }],
      containers: { web: {}, app: {} },
      stages: [
        {
          steps: [
            {
              do: 'createNetwork',
              network: { name: 'br-own', subnet: '172.17.0.0/16' },
              fails: 'NFB_NAME_TAKEN',
            },
          ],
          expect: open,
        },
      ],
    },
  ],
}

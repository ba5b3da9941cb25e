/** IPv6 and dual stack. */
import type { Group } from '../scenario.js'
import { inward, noLoopback6, outward } from './rows.js'

export const ipv6: Group = {
  name: 'ipv6',
  scenarios: [
    {
      name: 'ipv6-default-pool',
      about: 'Without an IPv6 pool the network gets a unique local one, and all works in both families.',
      networks: [{ name: 'docker0', subnet: '172.17.0.0/16', ipv6: true }],
      containers: { web: { publish: ['8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            ${noLoopback6}
            web, app -> host 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: reached web
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'ipv6-only',
      about: 'A network without IPv4.',
      networks: [{ name: 'six', ipv4: false, ipv6: true, pools: [{ subnet: 'fd00:66::/64' }], icc: false }],
      containers: { web: { expose: ['80/tcp'], publish: ['8080:81'] }, app: { links: ['web'] }, spy: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            host, outside -> host 8080/tcp (ipv4): refused
            ${noLoopback6}
            web, app, spy -> host 8080/tcp: reached web as host@six
            * -> host 8080/tcp: reached web
            app -> web 80/tcp, 81/tcp: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'ipv6-static-addresses',
      about: 'Addresses of both families that were asked for, and one that was taken.',
      networks: [
        { name: 'docker0', ipv6: true, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] },
      ],
      containers: {
        web: { address: '172.17.9.9', ipv6Address: 'fd00:17::9:9' },
        app: { later: true },
      },
      stages: [
        {
          steps: [
            {
              do: 'attach',
              container: 'app',
              options: { ipv6Address: 'fd00:17::9:9' },
              fails: 'NFB_ADDRESS_TAKEN',
            },
            { do: 'attach', container: 'app', options: { ipv6Address: 'fd00:17::77' } },
          ],
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
          checks: [
            { check: 'address', container: 'web', is: '172.17.9.9' },
            { check: 'address', container: 'web', is: 'fd00:17::9:9' },
            { check: 'address', container: 'app', is: 'fd00:17::77' },
          ],
        },
      ],
    },
    {
      name: 'ipv6-owner-of-address-changes',
      about:
        'Peers forget the old owner of an address at once, in both families: announcements after attach.',
      networks: [
        { name: 'docker0', ipv6: true, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] },
      ],
      containers: {
        web: { address: '172.17.0.9', ipv6Address: 'fd00:17::9', mac: '02:42:99:00:00:01' },
        app: {},
        next: { later: true, address: '172.17.0.9', ipv6Address: 'fd00:17::9', mac: '02:42:99:00:00:02' },
      },
      stages: [
        {
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
        {
          title: 'another has its addresses',
          steps: [
            { do: 'detach', container: 'web' },
            { do: 'attach', container: 'next' },
          ],
          expect: `
            containers -> containers: reached
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'ipv6-beside-ipv4-only',
      about: 'A network with IPv6 beside one without: the second has none, and nothing leaks from the first.',
      networks: [
        { name: 'both', ipv6: true, pools: [{ subnet: '172.18.0.0/16' }, { subnet: 'fd00:18::/64' }] },
        { name: 'four', subnet: '172.19.0.0/16' },
      ],
      containers: { one: { on: 'both' }, two: { on: 'both' }, three: { on: 'four' } },
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
  ],
}

/** Published ports: from wherever, seen as whom, bound to what. */
import type { Group, Scenario } from '../scenario.js'
import { inward, noLoopback6, outward } from './rows.js'

const subnet = '172.17.0.0/16'
const networks = [{ name: 'docker0', subnet }]
const dual = [{ name: 'docker0', ipv6: true, pools: [{ subnet }, { subnet: 'fd00:17::/64' }] }]
const published = `
  web, app -> host 8080/tcp, 5353/udp: reached web as host@docker0
  * -> host 8080/tcp, 5353/udp: reached web
`

/** A port that is published on every address, tcp and udp, with and without icc, in one family or both. */
function everywhere(icc: boolean, ipv6: boolean): Scenario {
  return {
    name: `published-everywhere-icc-${icc ? 'on' : 'off'}${ipv6 ? '-ipv6' : ''}`,
    about:
      "From outside, from the host by each of its addresses, from a neighbour, from another network and from the container itself; the client's own address is seen.",
    networks: [
      { ...(ipv6 ? dual : networks)[0], name: 'docker0', icc },
      {
        name: 'other',
        ...(ipv6
          ? { ipv6, pools: [{ subnet: '172.18.0.0/16' }, { subnet: 'fd00:18::/64' }] }
          : { subnet: '172.18.0.0/16' }),
      },
    ],
    containers: {
      web: { publish: ['8080:80/tcp', '5353:53/udp'] },
      app: {},
      far: { on: 'other' },
    },
    hostPorts: ['8080/tcp', '5353/udp'],
    stages: [
      {
        expect: `
          ${ipv6 ? noLoopback6 : ''}
          ${published}
          far -> web, app: blocked
          web, app -> far: blocked
          containers -> containers: ${icc ? 'reached' : 'blocked'}
          ${inward}
          ${outward}
        `,
      },
    ],
  }
}

const open = `
  containers -> containers: reached
  ${inward}
  ${outward}
`

export const publishing: Group = {
  name: 'publishing',
  scenarios: [
    everywhere(true, false),
    everywhere(false, false),
    everywhere(true, true),
    everywhere(false, true),
    {
      name: 'published-with-tracking',
      about:
        'With tracking: true a neighbour is seen under its own address behind a published port; the container itself is not.',
      networks: [{ ...dual[0], name: 'docker0', tracking: true }],
      containers: { web: { publish: ['8080:80/tcp', '5353:53/udp'] }, app: {} },
      hostPorts: ['8080/tcp', '5353/udp'],
      stages: [
        {
          expect: `
            ${noLoopback6}
            web -> host 8080/tcp, 5353/udp: reached web as host@docker0
            * -> host 8080/tcp, 5353/udp: reached web
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-an-adopted-bridge',
      about: "An adopted bridge's frames are tracked by default: neighbours keep their own address there.",
      bridges: ['br-own'],
      networks: [{ name: 'br-own', subnet, adopt: true }],
      containers: { web: { publish: ['8080:80/tcp', '5353:53/udp'] }, app: {} },
      hostPorts: ['8080/tcp', '5353/udp'],
      stages: [
        {
          expect: `
            web -> host 8080/tcp, 5353/udp: reached web as host@br-own
            * -> host 8080/tcp, 5353/udp: reached web
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-across-two-shared-networks',
      about:
        'Client and server are on the same two networks, and others on one of them: whichever address of the host is asked, each gets an answer from it. Who shares none is seen as it is, and so is the host, whose datagrams from its address on the other network are answered by another than they were for.',
      networks: [
        { name: 'front', subnet: '172.18.0.0/16' },
        { name: 'back', subnet: '172.19.0.0/16' },
        { name: 'other', subnet: '172.20.0.0/16' },
      ],
      containers: {
        web: { on: ['front', 'back'], publish: ['8080:80/tcp', '5353:53/udp'] },
        app: { on: ['front', 'back'] },
        near: { on: 'front' },
        back: { on: 'back' },
        far: { on: 'other' },
      },
      hostPorts: ['8080/tcp', '5353/udp'],
      stages: [
        {
          expect: `
            web, app, near, back -> host 8080/tcp, 5353/udp: reached web as host@front
            host -> host@back 5353/udp: blocked
            * -> host 8080/tcp, 5353/udp: reached web
            web -> app: reached
            app -> web: reached
            near -> web@front, app@front: reached
            back -> web@back, app@back: reached
            web, app -> near, back: reached
            containers -> containers: blocked
            ${inward}
            ${outward}
          `,
        },
      ],
    },
    {
      name: 'published-on-one-address',
      about: 'Bound to one address of the host: refused at every other.',
      addresses: ['203.0.113.9/24'],
      networks,
      containers: { web: { publish: ['203.0.113.9:8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            web, app -> host@203.0.113.9 8080/tcp: reached web as host@docker0
            * -> host@203.0.113.9 8080/tcp: reached web
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'one-port-on-two-addresses',
      about: 'One port on two addresses leads to two containers.',
      addresses: ['203.0.113.9/24'],
      networks,
      containers: { one: { publish: ['203.0.113.1:8080:80'] }, two: { publish: ['203.0.113.9:8080:80'] } },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            one, two -> host@uplink 8080/tcp: reached one as host@docker0
            * -> host@uplink 8080/tcp: reached one
            two, one -> host@203.0.113.9 8080/tcp: reached two as host@docker0
            * -> host@203.0.113.9 8080/tcp: reached two
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-loopback',
      about:
        'Bound to 127.0.0.1: the host alone reaches it; nobody outside, no container, not by its own address either.',
      networks,
      containers: { web: { publish: ['127.0.0.1:8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            host -> localhost 8080/tcp: reached web as host@docker0
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-two-loopback-addresses',
      about: 'One port on 127.0.1.2 and on 127.0.1.3 leads to different containers.',
      networks,
      containers: { one: { publish: ['127.0.1.2:8080:80'] }, two: { publish: ['127.0.1.3:8080:80'] } },
      hostPorts: ['8080/tcp'],
      targets: [
        { address: '127.0.1.2', from: ['host'], ports: ['8080/tcp'] },
        { address: '127.0.1.3', from: ['host'], ports: ['8080/tcp'] },
        { address: '127.0.1.4', from: ['host'], ports: ['8080/tcp'] },
      ],
      stages: [
        {
          expect: `
            host -> 127.0.1.2: reached one
            host -> 127.0.1.3: reached two
            host -> 127.0.1.4: refused
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-loopback-routed-by-others',
      about:
        'Bound to 127.0.0.2: whoever routes 127.0.0.0/8 here, from outside or as a neighbour, does not get in, nor to the host itself.',
      networks,
      containers: { web: { publish: ['127.0.0.2:8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      targets: [
        { address: '127.0.0.2', from: ['host', 'outside', 'app'], ports: ['8080/tcp'] },
        { address: '127.0.0.1', from: ['outside', 'app'], ports: ['9000/tcp'] },
      ],
      stages: [
        {
          steps: [
            { do: 'routeLoopback', machine: 'outside', via: '203.0.113.1' },
            { do: 'routeLoopback', machine: 'app', via: '172.17.0.1' },
          ],
          expect: `
            host -> 127.0.0.2: reached web as host@docker0
            host -> localhost: refused
            * -> 127.0.0.2, 127.0.0.1: blocked
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-range',
      about: 'A range leads port by port; with the same numbers it is one interval.',
      networks,
      ports: ['80/tcp', '81/tcp', '82/tcp', '9001/tcp', '9002/tcp'],
      containers: { web: { publish: ['8000-8002:80-82', '9001-9002:9001-9002'] }, app: {} },
      hostPorts: ['8000/tcp', '8002/tcp', '8003/tcp', '9001/tcp', '9002/tcp', '9003/tcp'],
      stages: [
        {
          expect: `
            * -> host 8003/tcp, 9003/tcp: refused
            web, app -> host 8000-8002/tcp, 9001-9002/tcp: reached web as host@docker0
            * -> host 8000-8002/tcp, 9001-9002/tcp: reached web
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-automatically',
      about:
        'A free port of the host is chosen, the same number for IPv4 and IPv6, and nobody else can take it.',
      networks: dual,
      containers: { web: { publish: ['80'] }, app: { publish: ['80'] } },
      hostPorts: ['32768/tcp', '32769/tcp', '32770/tcp'],
      stages: [
        {
          steps: [
            { do: 'listen', port: '32768/tcp', taken: true },
            { do: 'listen', port: '32769/tcp', taken: true },
          ],
          expect: `
            ${noLoopback6}
            web, app -> host 32768/tcp: reached web as host@docker0
            * -> host 32768/tcp: reached web
            app, web -> host 32769/tcp: reached app as host@docker0
            * -> host 32769/tcp: reached app
            * -> host 32770/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-port-taken',
      about:
        'A port of the host that a container or a process has is refused; on another address, or when it is free, it is not.',
      addresses: ['203.0.113.9/24'],
      networks,
      containers: { web: { publish: ['203.0.113.1:8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          steps: [
            { do: 'publish', container: 'app', ports: ['203.0.113.1:8080:80'], fails: 'NFB_PORT_TAKEN' },
            { do: 'publish', container: 'app', ports: ['8080:80'], fails: 'NFB_PORT_TAKEN' },
            { do: 'publish', container: 'app', ports: ['9000:80'], fails: 'NFB_PORT_TAKEN' },
            { do: 'publish', container: 'app', ports: ['203.0.113.9:8080:80'] },
          ],
          expect: `
            web, app -> host@uplink 8080/tcp: reached web as host@docker0
            * -> host@uplink 8080/tcp: reached web
            app, web -> host@203.0.113.9 8080/tcp: reached app as host@docker0
            * -> host@203.0.113.9 8080/tcp: reached app
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
        {
          title: 'the first is free again',
          steps: [
            { do: 'unpublish', container: 'web', ports: ['203.0.113.1:8080:80'] },
            { do: 'publish', container: 'app', ports: ['203.0.113.1:8080:81'] },
          ],
          expect: `
            app, web -> host@uplink, host@203.0.113.9 8080/tcp: reached app as host@docker0
            * -> host@uplink, host@203.0.113.9 8080/tcp: reached app
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-while-running',
      about:
        'Publishing and taking back take effect at once; connections through what is taken back stop, others live.',
      networks,
      containers: { web: {}, app: {} },
      hostPorts: ['8080/tcp', '8081/tcp'],
      stages: [
        {
          expect: `
            * -> host 8080/tcp, 8081/tcp: refused
            ${open}
          `,
        },
        {
          title: 'published',
          steps: [{ do: 'publish', container: 'web', ports: ['8080:80', '8081:80'] }],
          expect: `
            web, app -> host 8080/tcp, 8081/tcp: reached web as host@docker0
            * -> host 8080/tcp, 8081/tcp: reached web
            ${open}
          `,
          hold: [
            'outside -> host@uplink 8080/tcp',
            'outside -> host@uplink 8081/tcp',
            'host -> localhost 8080/tcp',
            'app -> host@uplink 8080/tcp',
            'app -> web 80/tcp',
          ],
        },
        {
          title: 'one of them taken back',
          steps: [{ do: 'unpublish', container: 'web', ports: ['8080:80'] }],
          held: `
            outside -> host@uplink 8080/tcp: stops
            outside -> host@uplink 8081/tcp: lives
            host -> localhost 8080/tcp: stops
            app -> host@uplink 8080/tcp: stops
            app -> web 80/tcp: lives
          `,
          expect: `
            * -> host 8080/tcp: refused
            web, app -> host 8081/tcp: reached web as host@docker0
            * -> host 8081/tcp: reached web
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-sctp',
      about: 'SCTP is published as the others are.',
      networks,
      ports: ['99/sctp'],
      containers: { web: { publish: ['9999:99/sctp'] }, app: {} },
      hostPorts: ['9999/sctp'],
      stages: [
        {
          expect: `
            web, app -> host 9999/sctp: reached web as host@docker0
            * -> host 9999/sctp: reached web
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-ipv6-address',
      about: 'Bound to one IPv6 address of the host: IPv4 is not published.',
      networks: dual,
      containers: { web: { publish: ['[2001:db8:113::1]:8080:80'] }, app: {} },
      hostPorts: ['8080/tcp'],
      stages: [
        {
          expect: `
            web, app -> host@uplink 8080/tcp (ipv6): reached web as host@docker0
            * -> host@uplink 8080/tcp (ipv6): reached web
            * -> host 8080/tcp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-on-every-address-of-a-family',
      about:
        'Published on 0.0.0.0 is IPv4 alone and on [::] IPv6 alone: one port leads to a container in each family.',
      networks: dual,
      containers: {
        four: { publish: ['0.0.0.0:8080:80', '0.0.0.0:8081:80'] },
        six: { publish: ['[::]:8080:80', '[::]:5353:53/udp'] },
      },
      hostPorts: ['8080/tcp', '8081/tcp', '5353/udp'],
      stages: [
        {
          expect: `
            ${noLoopback6}
            four, six -> host 8080/tcp, 8081/tcp (ipv4): reached four as host@docker0
            * -> host 8080/tcp, 8081/tcp (ipv4): reached four
            six, four -> host 8080/tcp, 5353/udp (ipv6): reached six as host@docker0
            * -> host 8080/tcp, 5353/udp (ipv6): reached six
            * -> host 8081/tcp, 5353/udp: refused
            ${open}
          `,
        },
      ],
    },
    {
      name: 'published-without-a-way-in',
      about:
        'Publishing where no port can be reached is refused, and says so: an internal network, an isolated bridge.',
      networks: [
        { name: 'inner', subnet: '172.18.0.0/16', internal: true },
        { name: 'alone', subnet: '172.19.0.0/16', gatewayMode: 'isolated' },
        ...networks,
      ],
      containers: { db: { on: 'inner' }, sole: { on: 'alone' }, web: { on: 'docker0' } },
      stages: [
        {
          steps: [
            { do: 'publish', container: 'db', ports: ['8080:80'], fails: 'NFB_SETTING_CONFLICT' },
            { do: 'publish', container: 'sole', ports: ['8080:80'], fails: 'NFB_SETTING_CONFLICT' },
          ],
          expect: `
            containers -> containers: blocked | unreachable
            outside -> containers: blocked
            host -> db, web: reached
            host -> sole: blocked
            web -> outside: reached as host
            db, sole -> outside: unreachable
            host -> outside: reached
            db -> host@inner: reached
            db, sole -> host: unreachable
            * -> host: reached
          `,
        },
      ],
    },
  ],
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/transparent-proxy.js'
import type { Machine } from '../../../lab/machine.js'
import { connect } from '../../../lab/wiring.js'
import { ip } from '../../support/tools.js'
import { cleanUp, expectReached } from '../network/setting.js'
import { expectInstalled, machine, protect } from './installed.js'

const rules = firewall({
  ports: [80, 8080],
  proxyPort: 3129,
  mark: 1,
  direct: { ip: ['10.0.3.0/24'], ip6: ['fd00::/8'] },
})
const listener = fileURLToPath(new URL('./transparent-listener.py', import.meta.url))

describe('the transparent proxy', () => {
  it('is what nft prints and what we list', async () => {
    await expectInstalled('transparent-proxy', rules)
  })

  describe('with packets', () => {
    let client: Machine
    let gateway: Machine
    let server: Machine

    beforeEach(async () => {
      client = await machine('client')
      gateway = await machine('gateway')
      server = await machine('server')
      await connect(
        { machine: gateway, interface: 'inside', address: '10.0.1.1/24' },
        {
          machine: client,
          interface: 'eth0',
          address: '10.0.1.2/24',
          routes: [{ destination: 'default', gateway: '10.0.1.1' }],
        },
      )
      await connect(
        { machine: gateway, interface: 'outside', address: ['10.0.2.1/24', '10.0.3.1/24'] },
        {
          machine: server,
          interface: 'eth0',
          address: ['10.0.2.2/24', '10.0.3.2/24'],
          routes: [{ destination: 'default', gateway: '10.0.2.1' }],
        },
      )
      for (const port of [80, 8080, 443]) await server.serveTcp(port)
      await gateway.serveTcp(80, { address: '10.0.1.1' })
      await gateway.namespace.writeSysctl('net.ipv4.ip_forward', '1')
      await ip(gateway.namespace, 'rule', 'add', 'fwmark', '1', 'lookup', '100')
      await ip(gateway.namespace, 'route', 'add', 'local', 'default', 'dev', 'lo', 'table', '100')
      await protect(gateway, rules)
    })

    it('takes the connections of its ports, with the addresses of both sides, and no others', async () => {
      const proxy = spawn(
        'nsenter',
        [`--net=${gateway.namespace.path()}`, '--', 'python3', listener, '3129'],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      )
      cleanUp(async () => {
        proxy.stdin.end()
        if (proxy.exitCode === null) await once(proxy, 'exit')
      })
      await once(proxy.stdout, 'data')
      for (const port of [80, 8080])
        expect(await client.probeTcp('10.0.2.2', port)).toMatchObject({
          outcome: 'reached',
          server: 'proxy',
          seen: '10.0.1.2',
          local: '10.0.2.2',
          localPort: port,
        })
      expect(await client.probeTcp('10.0.2.2', 443)).toMatchObject({ outcome: 'reached', server: 'server' })
      expect(await client.probeTcp('10.0.3.2', 80)).toMatchObject({ outcome: 'reached', server: 'server' })
      expect(await client.probeTcp('10.0.1.1', 80)).toMatchObject({ outcome: 'reached', server: 'gateway' })
    })

    it('lets connections pass while nobody proxies', async () => {
      await expectReached(client, '10.0.2.2', 80, '10.0.1.2')
    })
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { firewall } from '../../../examples/firewalls/kubernetes-services.js'
import type { Machine } from '../../../lab/machine.js'
import { connect, connectOutside } from '../../../lab/wiring.js'
import { expectReached } from '../network/setting.js'
import { expectInstalled, machine, protect } from './installed.js'

const endpoints = (port: number): { address: string; port: number }[] => [
  { address: '10.244.1.2', port },
  { address: '10.244.2.2', port },
]

const rules = firewall({
  podNetwork: '10.244.0.0/16',
  services: [
    {
      name: 'web',
      clusterAddress: '10.96.0.10',
      protocol: 'tcp',
      port: 80,
      nodePort: 30080,
      endpoints: endpoints(8080),
    },
    {
      name: 'sticky',
      clusterAddress: '10.96.0.11',
      protocol: 'tcp',
      port: 80,
      affinity: 'client',
      endpoints: endpoints(8080),
    },
    { name: 'dns', clusterAddress: '10.96.0.53', protocol: 'udp', port: 53, endpoints: endpoints(5353) },
    {
      name: 'alone',
      clusterAddress: '10.96.0.12',
      protocol: 'tcp',
      port: 80,
      endpoints: endpoints(8080).slice(0, 1),
    },
    { name: 'idle', clusterAddress: '10.96.0.99', protocol: 'tcp', port: 80, endpoints: [] },
  ],
})

describe('the Kubernetes-like services', () => {
  it('are what nft prints and what we list', async () => {
    await expectInstalled('kubernetes-services', rules)
  })

  describe('with packets', () => {
    let node: Machine
    let outside: Machine
    let pods: Machine[]

    beforeEach(async () => {
      node = await machine('node')
      outside = await machine('outside')
      await connectOutside(node, outside, ['10.96.0.0/16'])
      await node.namespace.writeSysctl('net.ipv4.ip_forward', '1')
      pods = []
      for (const number of [1, 2]) {
        const pod = await machine(`pod${number}`)
        const gateway = `10.244.${number}.1`
        await connect(
          { machine: node, interface: pod.name, address: `${gateway}/24` },
          {
            machine: pod,
            interface: 'eth0',
            address: `10.244.${number}.2/24`,
            routes: [{ destination: 'default', gateway }],
          },
        )
        await pod.serveTcp(8080)
        await pod.serveUdp(5353)
        pods.push(pod)
      }
      await protect(node, rules)
    })

    /** Which pods answer, of so many connections. */
    async function answering(from: Machine, address: string, port: number, attempts = 24): Promise<string[]> {
      const servers = new Set<string>()
      for (let attempt = 0; attempt < attempts; attempt++) {
        const outcome = await from.probeTcp(address, port)
        expect(outcome.outcome).toBe('reached')
        if (outcome.outcome === 'reached') servers.add(outcome.server)
      }
      return [...servers].sort()
    }

    it('spread connections over the endpoints, from pods, the node and outside', async () => {
      const [pod] = pods
      if (pod === undefined) throw new Error('a pod')
      expect(await answering(pod, '10.96.0.10', 80)).toEqual(['pod1', 'pod2'])
      expect(await answering(node, '10.96.0.10', 80)).toEqual(['pod1', 'pod2'])
      expect(await answering(outside, '10.96.0.10', 80)).toEqual(['pod1', 'pod2'])
      expect(await answering(outside, '203.0.113.1', 30080)).toEqual(['pod1', 'pod2'])
      const dns = await pod.probeUdp('10.96.0.53', 53)
      expect(dns.outcome).toBe('reached')
    })

    it('keep a client with its endpoint where that is asked for', async () => {
      for (const from of [...pods, outside]) expect(await answering(from, '10.96.0.11', 80)).toHaveLength(1)
    })

    it("masquerade what is not the pods'", async () => {
      const [first, second] = pods
      if (first === undefined || second === undefined) throw new Error('two pods')
      await expectReached(second, '10.96.0.12', 80, '10.244.2.2')
      await expectReached(outside, '10.96.0.12', 80, '10.244.1.1')
      // A pod that is its own service's endpoint: without masquerading it would answer to itself.
      await expectReached(first, '10.96.0.12', 80, '10.244.1.1')
    })

    it('refuse at once where nobody serves', async () => {
      for (const from of [...pods, node])
        expect(await from.probeTcp('10.96.0.99', 80), from.name).toEqual({ outcome: 'refused' })
    })
  })
})

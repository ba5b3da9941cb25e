import { Cidr, MacAddress } from '../../address/index.js'
import type { RtnlOperation } from '../../rtnl/index.js'
import { elementsOf } from '../plan/elements.js'
import type { NetworkRecord } from '../plan/records.js'
import { withChange } from '../plan/view.js'
import type { HostContext } from './host-context.js'
import type { Step } from './steps.js'

/**
 * What makes a network, in order; backward it is what removes it. The first network brings the tables and forwarding with
 * it, and the last takes them away.
 */
export function networkSteps(context: HostContext, network: NetworkRecord): Step[] {
  const { registry, settings, forwarding } = context
  const without = withChange(registry, { networks: new Map([[network.name, undefined]]) })
  const present = withChange(registry, { networks: new Map([[network.name, network]]) })
  const alone = [...without.networks].length === 0
  const touched = { networks: [network.name] }
  return [
    context.remember({ networks: new Map([[network.name, network]]) }, without),
    ...(settings.firewall && alone
      ? [rulesetStep(context, network)]
      : context.elementSteps(without, present, touched)),
    bridgeStep(context, network),
    ...(settings.firewall ? [localnetStep(context, network)] : []),
    ...(alone ? [forwarding.step(settings.ipForward)] : []),
  ]
}

function rulesetStep({ kernel, registry }: HostContext, network: NetworkRecord): Step {
  const present = withChange(registry, { networks: new Map([[network.name, network]]) })
  const elements = [...elementsOf(present, { networks: [network.name] }).values()]
  return {
    leaves: 'tables nfbridge of the families inet and bridge',
    apply: () => kernel.commitRuleset('add', elements),
    undo: () => kernel.commitRuleset('remove'),
  }
}

/** The bridge with the gateway's address. */
export function bridgeStep({ kernel, settings }: HostContext, network: NetworkRecord): Step {
  const { name, gateway, subnet } = network
  return {
    leaves: `bridge ${name}`,
    apply: async () => {
      await kernel.applyLinks([createBridge(network, settings.firewall)])
      try {
        const device = await kernel.bridgeIndex(name)
        const address = Cidr.parseInterface(`${gateway}/${subnet.prefixLength}`)
        await kernel.applyLinks([{ kind: 'address', action: 'add', address: { device, address } }])
      } catch (error) {
        await kernel.deleteLink(name)
        throw error
      }
    },
    undo: () => kernel.deleteLink(name),
  }
}

/**
 * The bridge with a MAC address of its own: without one it has the lowest of its ports', and changes it as containers come
 * and go. br_netfilter is asked for on this bridge alone; the host's other bridges (VMs) are left as they are.
 */
function createBridge({ name, mtu, gateway }: NetworkRecord, firewall: boolean): RtnlOperation {
  return {
    kind: 'link',
    action: 'create',
    link: {
      kind: 'bridge',
      name,
      mac: MacAddress.fromIPv4(gateway),
      up: true,
      bridge: { nfCallIptables: firewall, nfCallIp6tables: firewall },
      ...(mtu === undefined ? {} : { mtu }),
    },
  }
}

/** Lets the host reach published ports by 127.0.0.1; the chain `loopback` keeps everybody else from it. */
export function localnetStep({ kernel }: HostContext, { name }: NetworkRecord): Step {
  return {
    leaves: `net/ipv4/conf/${name}/route_localnet = 1`,
    apply: () => kernel.namespace.writeSysctl(`net/ipv4/conf/${name}/route_localnet`, '1'),
    // It goes with the bridge.
    undo: async () => undefined,
  }
}

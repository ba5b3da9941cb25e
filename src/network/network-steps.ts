import { Cidr, MacAddress } from '../address/index.js'
import type { RtnlOperation } from '../rtnl/index.js'
import { elementsOf } from './elements.js'
import type { HostContext } from './host-context.js'
import type { NetworkRecord } from './records.js'
import { ignoreMissing, type Step } from './steps.js'
import { withChange } from './view.js'

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
    ...(settings.ipForward && alone ? [forwarding.step()] : []),
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

export function bridgeStep({ kernel, settings }: HostContext, network: NetworkRecord): Step {
  return {
    leaves: `bridge ${network.name}`,
    apply: () => kernel.applyLinks(bridgeOperations(network, settings.firewall)),
    undo: () => ignoreMissing(kernel.applyLinks([deleteBridge(network)])),
  }
}

function deleteBridge({ name }: NetworkRecord): RtnlOperation {
  return { kind: 'link', action: 'delete', link: { name } }
}

/**
 * The bridge with a MAC address of its own: without one it has the lowest of its ports', and changes it as containers come
 * and go. br_netfilter is asked for on this bridge alone; the host's other bridges (VMs) are left as they are.
 */
function bridgeOperations(network: NetworkRecord, firewall: boolean): RtnlOperation[] {
  const { name, mtu, gateway, subnet } = network
  return [
    {
      kind: 'link',
      action: 'create',
      link: {
        kind: 'bridge',
        name,
        mac: MacAddress.fromIPv4(gateway),
        mtu,
        up: true,
        bridge: { nfCallIptables: firewall, nfCallIp6tables: firewall },
      },
    },
    {
      kind: 'address',
      action: 'add',
      address: { device: name, address: Cidr.parseInterface(`${gateway}/${subnet.prefixLength}`) },
    },
  ]
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

import { NfbridgeError } from '../../errors.js'

/** Present in every namespace as soon as br_netfilter is loaded (net/bridge/br_netfilter_hooks.c). */
const PRESENCE = 'net.bridge.bridge-nf-call-iptables'

interface ReadsSysctls {
  readSysctl(name: string): Promise<string>
}

/** Whether the kernel has br_netfilter. */
export async function hasBridgeNetfilter(namespace: ReadsSysctls): Promise<boolean> {
  try {
    await namespace.readSysctl(PRESENCE)
    return true
  } catch (error) {
    if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return false
    throw error
  }
}

/**
 * Without br_netfilter the kernel takes a bridge's `nf_call_iptables` and does not heed it: what passes between containers
 * would meet no rule, and `icc: false` would be open without a word.
 * @throws NfbridgeError NFB_NOT_SUPPORTED
 */
export async function requireBridgeNetfilter(namespace: ReadsSysctls): Promise<void> {
  if (await hasBridgeNetfilter(namespace)) return
  throw new NfbridgeError({
    code: 'NFB_NOT_SUPPORTED',
    operation: 'BridgeHost.createNetwork',
    message:
      'the kernel has no br_netfilter, without which rules see nothing of what passes between containers: ' +
      'load it (modprobe br_netfilter), or open the host with firewall: false',
  })
}

/** Timeout policies of connections (NFTA_CT_TIMEOUT_*; the policy is the nest of linux/netfilter/nfnetlink_cttimeout.h). */
import { InvalidValue, quote, writeNumber } from '../datatype/index.js'
import { timeoutStates } from '../kernel/ct-timeout.js'
import type { CtTimeout } from '../model/index.js'
import { networkFamily, protocolNumber } from './ct-helper.js'
import { checkInteger } from './number.js'
import type { Trail } from './trail.js'

const ATTRIBUTE = 8 // a header of four bytes, a number of four

/** `ct timeout t { protocol tcp; policy = { established : 100 }; }`; the trail stands at the object. */
export function ctTimeoutData(
  timeout: CtTimeout,
  trail: Trail,
): { l3proto?: number; l4proto: number; data: Uint8Array } {
  const l4proto = protocolNumber(timeout.protocol, ['tcp', 'udp'])
  const states = timeoutStates[timeout.protocol]
  trail.enter('policy')
  const said = new Map<string, number>(Object.entries(timeout.policy ?? {}))
  for (const state of said.keys())
    if (!states.some(({ name }) => name === state))
      throw new InvalidValue(
        `${quote(state)} is no state of ${timeout.protocol}: ${states.map(({ name }) => name).join(', ')}`,
      )
  // As nft does, every state is written: what is not said as Linux has it by default.
  const data = new Uint8Array(states.length * ATTRIBUTE)
  for (const [index, { name, seconds }] of states.entries()) {
    trail.enter(name)
    const value = checkInteger(said.get(name) ?? seconds, 'number of seconds', 0xffffffff)
    trail.leave()
    const at = index * ATTRIBUTE
    writeNumber(ATTRIBUTE, data, at, 2, 'host')
    writeNumber(index + 1, data, at + 2, 2, 'host')
    writeNumber(value, data, at + 4, 4, 'big')
  }
  trail.leave()
  return { ...networkFamily(timeout.l3proto), l4proto, data }
}

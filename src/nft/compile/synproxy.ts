import { SynproxyFlags } from '../kernel/constants.js'
import type { SynproxyFlag, SynproxyOptions, SynproxyStatement } from '../model/index.js'
import type { SynproxyData } from './kernel-expression.js'
import type { Draft } from './message.js'
import { checkInteger, flagBits } from './number.js'
import { compileReference, isReference } from './object-reference.js'
import type { RuleContext } from './rule-context.js'

const optionFlags: { readonly [F in SynproxyFlag]: number } = {
  timestamp: SynproxyFlags.timestamp,
  'sack-perm': SynproxyFlags['sack-perm'],
}

/** `synproxy mss 1460 wscale 7 timestamp sack-perm`, `synproxy name …`; the trail stands at its object. */
export function compileSynproxy(context: RuleContext, synproxy: SynproxyStatement['synproxy']): void {
  if (isReference(synproxy)) compileReference(context, 'synproxy', synproxy)
  else context.out.push({ name: 'synproxy', data: synproxyData(synproxy ?? {}) })
}

/** The options of a rule's own, or of a named object. */
export function synproxyData(options: SynproxyOptions): SynproxyData {
  const data: Draft<SynproxyData> = { flags: flagBits(options.flags, optionFlags, 'synproxy') }
  if (options.mss !== undefined) {
    data.mss = checkInteger(options.mss, 'mss', 0xffff)
    data.flags |= SynproxyFlags.mss
  }
  if (options.wscale !== undefined) {
    data.wscale = checkInteger(options.wscale, 'wscale', 14)
    data.flags |= SynproxyFlags.wscale
  }
  return data
}

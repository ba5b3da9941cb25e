import { NfbridgeError } from '../../errors.js'
import type { MapElement, Nft } from '../../nft/index.js'
import { keyFields } from './element-fields.js'

/** What new connections that stay within a bridge meet, by the bridge: `accept`, or the chain; nothing where no rules of ours stand. */
export async function readVerdictsWithin(nft: Nft, table: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { nftables } = await nft.list({ family: 'inet', table, set: 'icc', kinds: ['set'] })
    const elements = nftables.flatMap((object) => ('map' in object ? (object.map.elem ?? []) : []))
    return new Map(elements.flatMap(verdictWithin))
  } catch (error) {
    if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return new Map()
    throw error
  }
}

function verdictWithin([key, verdict]: MapElement): (readonly [bridge: string, verdict: string])[] {
  const [from, to] = keyFields(key)
  if (typeof from !== 'string' || from !== to || typeof verdict !== 'object' || verdict === null) return []
  if ('accept' in verdict) return [[from, 'accept']]
  return 'jump' in verdict ? [[from, verdict.jump.target]] : []
}

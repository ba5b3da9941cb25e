import { tryNft } from './reference.js'
import type { NewNamespace } from './rules.js'
import { readFeatures } from './table.js'

/** The features that are not there, each with nft's own words for it: each is tried in a namespace of its own. */
export async function missingFeatures(newNamespace: NewNamespace): Promise<ReadonlyMap<string, string>> {
  const missing = new Map<string, string>()
  for (const { name, probe } of readFeatures()) {
    const { code, stderr } = await tryNft(await newNamespace(), ['-f', '-'], probe)
    if (code !== 0) missing.set(name, /Error: (.*)/.exec(stderr)?.[1] ?? `nft ended with ${code}`)
  }
  return missing
}

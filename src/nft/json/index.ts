/** Rulesets in libnftables' JSON, in and out. */
import { fromJson } from './from-json.js'
import { toOperations } from './operations.js'
import { toJson } from './to-json.js'

export type { Metainfo, ParsedRuleset } from './from-json.js'
export type { JsonRuleset, JsonSource, ToJsonOptions } from './to-json.js'

/** Rulesets as libnftables' JSON (`nft -j`), and as operations of a transaction. */
export const ruleset: {
  readonly fromJson: typeof fromJson
  readonly toJson: typeof toJson
  readonly toOperations: typeof toOperations
} = { fromJson, toJson, toOperations }

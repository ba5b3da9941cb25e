/** Rulesets and commands in libnftables' JSON to values of the model. */
import { NfbridgeError } from '../../errors.js'
import { withInput } from '../../read-input.js'
import type { Operation } from '../compile/index.js'
import { quote } from '../datatype/index.js'
import type { RulesetObject } from '../model/index.js'
import { check } from './check.js'
import { withDynamicFlags } from './filled-sets.js'
import { isNode, normalizeObject } from './normalize.js'
import { inWorkingOrder } from './order.js'

const operation = 'ruleset.fromJson'

/** What nft says about itself in its listings. */
export interface Metainfo {
  readonly version?: string
  readonly release_name?: string
  readonly json_schema_version?: number
}

/** What was in the JSON. */
export interface ParsedRuleset {
  readonly metainfo?: Metainfo
  /** The objects that stand there without a command, in their order, with their handles. */
  readonly nftables: readonly RulesetObject[]
  /**
   * All of it as operations of a transaction: commands as they are, objects without a command added (as libnftables
   * does it), in an order in which each finds what it refers to.
   */
  readonly operations: readonly Operation[]
}

const verbs: ReadonlySet<string> = new Set([
  'add',
  'create',
  'insert',
  'replace',
  'delete',
  'destroy',
  'rename',
  'flush',
])
const schemaVersion = 1

/**
 * Reads libnftables' JSON: what `nft -j list ruleset` printed, or objects and commands written by hand. Every value is
 * checked against the types of the model.
 * @param json the text, or what it was parsed to: `{ nftables: [ … ] }`
 * @throws NfbridgeError NFB_INVALID_ARGUMENT with the path of the first wrong value: `nftables[3].rule.expr[1].match.op`
 */
export function fromJson(json: unknown): ParsedRuleset {
  return withInput(json, 'ruleset.fromJson', 'json', () => parsed(json))
}

function parsed(json: unknown): ParsedRuleset {
  const document = typeof json === 'string' ? parse(json) : json
  if (!isNode(document) || !Array.isArray(document.nftables))
    throw refusal('an object with a list "nftables" is expected', 'nftables')
  const nftables: RulesetObject[] = []
  const operations: Operation[] = []
  let metainfo: Metainfo | undefined
  for (const [index, entry] of document.nftables.entries()) {
    const path = `nftables[${index}]`
    const [name, inner] = onlyProperty(entry, path)
    if (name === 'metainfo') metainfo = readMetainfo(inner, `${path}.metainfo`)
    else if (verbs.has(name)) operations.push(readOperation(name, inner, path))
    else {
      const object: unknown = { [name]: normalizeObject(name, inner) }
      requireObject(object, path)
      nftables.push(object)
      operations.push({ add: withoutHandle(object) })
    }
  }
  const flagged = withDynamicFlags(operations.flatMap((each) => ('add' in each ? [each.add] : [])))
  return {
    ...(metainfo !== undefined && { metainfo }),
    nftables: nftables.map(flagged),
    operations: inWorkingOrder(operations.map((each) => ('add' in each ? { add: flagged(each.add) } : each))),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refusal(`the text is no JSON (${error instanceof Error ? error.message : String(error)})`, '')
  }
}

function onlyProperty(entry: unknown, path: string): [name: string, inner: unknown] {
  const entries = isNode(entry) ? Object.entries(entry) : []
  const [only] = entries
  if (only === undefined || entries.length !== 1)
    throw refusal(`an object with one property is expected, not ${quote(entry)}`, path)
  return only
}

function readOperation(verb: string, inner: unknown, path: string): Operation {
  const [kind, object] = onlyProperty(inner, `${path}.${verb}`)
  const made: unknown = { [verb]: { [kind]: normalizeObject(kind, object) } }
  requireOperation(made, path)
  return made
}

function readMetainfo(value: unknown, path: string): Metainfo {
  const { version, release_name: release, json_schema_version: schema } = isNode(value) ? value : {}
  if (typeof schema === 'number' && schema > schemaVersion)
    throw refusal(
      `schema version ${schema} is not known, only ${schemaVersion}`,
      `${path}.json_schema_version`,
    )
  return {
    ...(typeof version === 'string' && { version }),
    ...(typeof release === 'string' && { release_name: release }),
    ...(typeof schema === 'number' && { json_schema_version: schema }),
  }
}

function requireObject(value: unknown, path: string): asserts value is RulesetObject {
  const failure = check('RulesetObject', value, path)
  if (failure) throw refusal(failure.message, failure.path)
}

function requireOperation(value: unknown, path: string): asserts value is Operation {
  const failure = check('Operation', value, path)
  if (failure) throw refusal(failure.message, failure.path)
}

/** An object as it is added anew: the handle of a listed rule would be the place where to add it. */
export function withoutHandle(object: RulesetObject): RulesetObject {
  if (!('rule' in object)) return object
  const { handle, ...rule } = object.rule
  return handle === undefined ? object : { rule }
}

function refusal(message: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
}

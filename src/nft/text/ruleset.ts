/** Rulesets: tables with what belongs to them, in the layout of `nft list ruleset`. */
import { block } from './block.js'
import { type BoundChains, chainHead, chainLines } from './chain.js'
import { type Context, handleText, inFamily } from './context.js'
import { commentText, isNode, json, list, type Node, onlyEntry, words } from './node.js'
import { isObjectKind, objectLines } from './object.js'
import { opaqueObjectText } from './opaque.js'
import { elementTexts, setLines } from './set.js'

/** What of one table is in a list of objects, by the block that nft makes of it. */
class TableText {
  readonly family: string
  readonly name: string
  table: Node | undefined
  readonly objects: (readonly [kind: string, object: Node])[] = []
  readonly sets: (readonly [kind: string, set: Node, elements: unknown[]])[] = []
  readonly flowtables: Node[] = []
  readonly chains = new Map<string, { chain: Node; readonly rules: Node[] }>()
  readonly opaque: unknown[] = []

  constructor(family: string, name: string) {
    this.family = family
    this.name = name
  }

  /** The chain of a rule, which may be missing in a list that is a part of a ruleset. */
  chain(name: string): { chain: Node; readonly rules: Node[] } {
    const known = this.chains.get(name)
    if (known !== undefined) return known
    const added = { chain: { family: this.family, table: this.name, name }, rules: [] }
    this.chains.set(name, added)
    return added
  }

  add(kind: string, object: Node): void {
    if (kind === 'table') this.table = object
    else if (kind === 'chain') this.chain(String(object.name)).chain = object
    else if (kind === 'rule') this.chain(String(object.chain)).rules.push(object)
    else if (kind === 'set' || kind === 'map') this.sets.push([kind, object, [...list(object.elem)]])
    else if (kind === 'element') this.#addElements(object)
    else if (kind === 'flowtable') this.flowtables.push(object)
    else if (isObjectKind(kind)) this.objects.push([kind, object])
    else this.opaque.push({ [kind]: object })
  }

  #addElements(element: Node): void {
    const set = this.sets.find(([, { name }]) => name === element.name)
    if (set === undefined) this.opaque.push({ element })
    else set[2].push(...list(element.elem))
  }

  text(context: Context): string {
    const within = inFamily(context, this.family)
    const { flags, comment, handle } = this.table ?? {}
    const options = [
      list(flags).length > 0 ? `flags ${list(flags).join(',')}` : undefined,
      commentText(comment),
    ].filter((line) => line !== undefined)
    const bound = this.#boundChains(within)
    const blocks = [
      ...this.objects.map(([kind, object]) => this.#block(kind, object, objectLines(kind, object), within)),
      ...this.sets.map(([kind, set, elem]) => this.#block(kind, set, setLines({ ...set, elem }), within)),
      ...this.flowtables.map((object) =>
        this.#block('flowtable', object, objectLines('flowtable', object), within),
      ),
      ...[...this.chains.values()]
        .filter(({ chain }) => !isBound(chain))
        .map(({ chain, rules }) =>
          this.#block('chain', chain, chainLines(chain, rules, within, bound), within),
        ),
      ...this.opaque.map(opaqueEntry),
    ]
    const body = [...options, blocks.join('\n\n')].filter((part) => part !== '')
    return block(words('table', this.family, this.name), body).replace(
      '{',
      words('{', handleText(within, handle)),
    )
  }

  /** Inner ones first: the kernel makes a chain before the rule that it belongs to, and numbers them as it makes them. */
  #boundChains(context: Context): BoundChains {
    const bound = new Map<string, readonly string[]>()
    for (const [name, { chain, rules }] of [...this.chains].reverse())
      if (isBound(chain)) bound.set(name, chainLines(chain, rules, context, bound))
    return bound
  }

  #block(kind: string, object: Node, lines: readonly string[], context: Context): string {
    const head = kind === 'chain' ? chainHead(object) : words(kind, String(object.name))
    return block(head, lines).replace('{', words('{', handleText(context, object.handle)))
  }
}

/** Whether a chain belongs to the rule that jumps to it. */
function isBound(chain: Node): boolean {
  return list(chain.flags).includes('binding')
}

function opaqueEntry(value: unknown): string {
  const [kind, object] = onlyEntry(value) ?? []
  if (kind === 'opaque') return opaqueObjectText(object)
  if (kind === 'element' && isNode(object))
    return `# element ${String(object.name)} { ${elementTexts(object, list(object.elem)).join(', ')} }`
  return `# ${json(value)}`
}

/** Objects as `nft list ruleset` prints them, by table in the order in which the tables appear. */
export function rulesetText(objects: readonly unknown[], context: Context): string {
  const tables = new Map<string, TableText>()
  const rest: string[] = []
  for (const object of objects) {
    const [kind = '', inner] = onlyEntry(object) ?? []
    if (kind === 'metainfo') continue
    if (!isNode(inner) || (kind !== 'opaque' && typeof inner.family !== 'string')) {
      rest.push(`# ${json(object)}`)
      continue
    }
    if (kind === 'opaque') {
      rest.push(opaqueObjectText(inner))
      continue
    }
    tableOf(tables, kind, inner).add(kind, inner)
  }
  return [...[...tables.values()].map((table) => table.text(context)), ...rest].join('\n')
}

function tableOf(tables: Map<string, TableText>, kind: string, object: Node): TableText {
  const family = String(object.family)
  const name = String(kind === 'table' ? object.name : object.table)
  const key = `${family} ${name}`
  const known = tables.get(key)
  if (known !== undefined) return known
  const added = new TableText(family, name)
  tables.set(key, added)
  return added
}

/**
 * Questions over UDP that links let pass, for whoever judges the answers from now on: the bridge knows them by its own sets, connection
 * tracking by its entries. Nobody else's answers pass, and no connection hangs on who judged when it began.
 */
import type { Conntrack, ConntrackEntry } from '../../conntrack/index.js'
import { NfbridgeError } from '../../errors.js'
import type { Element, NamedSet, Nft, SetElement } from '../../nft/index.js'
import { elementsOf, everything, ofFamily, type SetElement as PlannedElement } from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'
import type { NetworkView } from '../plan/view.js'
import type { TableFamily } from '../rules/names.js'
import { setObjects } from '../rules/sets.js'

/** So many elements are sent at once. */
const AT_ONCE = 10_000

export class AskedQuestions {
  readonly #nft: Nft
  readonly #conntrack: Conntrack
  readonly #table: string

  constructor(nft: Nft, conntrack: Conntrack, table: string) {
    this.#nft = nft
    this.#conntrack = conntrack
    this.#table = table
  }

  /** What the bridges remember, for the rules of table inet, with what is left of its time. */
  async tellTracking(): Promise<void> {
    for (const { element } of await this.ofBridges('inet')) await this.#add(element, element.elem)
  }

  /** The same as elements of one of the tables. */
  async ofBridges(family: TableFamily): Promise<{ element: Element }[]> {
    const found: { element: Element }[] = []
    for (const name of ['asked', 'asked_of_links', 'asked6', 'asked_of_links6']) {
      const { table, type, flags = [], elem } = (await this.#read('bridge', name)) ?? {}
      if (table === undefined || type === undefined || !elem) continue
      found.push({ element: { family, table, name, type, flags, elem: elem.map(withRemainingTime) } })
    }
    return found
  }

  /** What connection tracking knows of links, for the bridges. */
  async tellBridges(view: NetworkView): Promise<void> {
    const { pairs = [] } = everything(view)
    const elements = [...elementsOf(view, { pairs }).values()]
    for (const { element } of await this.ofTracking(elements)) await this.#add(element, element.elem)
  }

  /** The same as elements of table bridge, of the links among those given: for a transaction that makes its sets. */
  async ofTracking(elements: readonly PlannedElement[]): Promise<{ element: Element }[]> {
    const linked = linkTexts(elements)
    if (linked.size === 0) return []
    const entries = (await this.#conntrack.list({ protocol: 'udp' })).filter((entry) =>
      linked.has(questionText(entry)),
    )
    return setObjects('bridge', this.#table).flatMap((object) => {
      if (!('set' in object) || (object.set.name !== 'asked' && object.set.name !== 'asked6')) return []
      const { family, table, name, type, flags = [] } = object.set
      const elem = entries
        .filter(({ original }) => original.source.family === (name === 'asked' ? 4 : 6))
        .map(elementOf)
      return elem.length > 0 ? [{ element: { family, table, name, type, flags, elem } }] : []
    })
  }

  /** Forgets what was asked over links that are gone: who has their addresses next has asked nothing. */
  async forget(gone: readonly PlannedElement[]): Promise<void> {
    for (const family of eachFamily) {
      const links = linkTexts(gone.filter(({ set }) => set === ofFamily('links', family)))
      if (links.size === 0) continue
      for (const table of ['bridge', 'inet'] as const)
        for (const name of ['asked', 'asked_of_links'] as const) {
          const set = await this.#read(table, ofFamily(name, family))
          if (set?.elem)
            await this.#delete(
              set,
              set.elem.flatMap((element) => keyOfLinks(element, links)),
            )
        }
    }
  }

  /** A set with its elements; undefined where there is none, as with the rules of another version. */
  async #read(family: TableFamily, name: string): Promise<NamedSet | undefined> {
    try {
      const { nftables } = await this.#nft.list({ family, table: this.#table, set: name, kinds: ['set'] })
      return nftables.flatMap((object) => ('set' in object ? [object.set] : []))[0]
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return undefined
      throw error
    }
  }

  /** All at once; where the time of one is over meanwhile, one by one. */
  async #delete(set: NamedSet, elem: Element['elem']): Promise<void> {
    if (elem.length === 0) return
    const { family, table, name, type, flags = [] } = set
    const element: Element = { family, table, name, ...(type !== undefined && { type }), flags, elem }
    try {
      await this.#nft.transaction().delete({ element }).commit()
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_MISSING') throw error
      if (elem.length > 1) for (const one of elem) await this.#delete(set, [one])
    }
  }

  async #add(set: NamedSet | Element, elem: Element['elem']): Promise<void> {
    const { family, table, name, type, flags = [] } = set
    for (let first = 0; first < elem.length; first += AT_ONCE) {
      const part = elem.slice(first, first + AT_ONCE)
      const element: Element = { family, table, name, ...(type !== undefined && { type }), flags, elem: part }
      await this.#nft.transaction().add({ element }).commit()
    }
  }
}

function withRemainingTime(element: SetElement): SetElement {
  if (typeof element !== 'object' || element === null || !('elem' in element)) return element
  const { val, expires, timeout } = element.elem
  const remaining = expires ?? timeout
  return { elem: { val, ...(remaining !== undefined && { timeout: remaining }) } }
}

/** The key of a question, if it was asked over one of these links: client, server, perhaps the client's port, and the server's. */
function keyOfLinks(element: SetElement, links: ReadonlySet<string>): SetElement[] {
  const key =
    typeof element === 'object' && element !== null && 'elem' in element ? element.elem.val : element
  const fields = typeof key === 'object' && key !== null && 'concat' in key ? key.concat : undefined
  if (!isFields(fields)) return []
  const [client, server] = fields
  return links.has(`${client} ${server} ${fields.at(-1)}`) ? [key] : []
}

/** An array has a method of the same name. */
function isFields(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** Each link over UDP as its element says it: client, server, port. */
function linkTexts(elements: readonly PlannedElement[]): Set<string> {
  const texts = elements.flatMap(({ set, key }) => {
    const [client, server, protocol, port] = key
    return (set === 'links' || set === 'links6') && protocol === 'udp' ? [`${client} ${server} ${port}`] : []
  })
  return new Set(texts)
}

function elementOf({ original, timeout }: ConntrackEntry): SetElement {
  const { source, destination, sourcePort = 0, destinationPort = 0 } = original
  const val = { concat: [source.toString(), destination.toString(), sourcePort, destinationPort] }
  return { elem: { val, timeout: Math.max(1, timeout) } }
}

function questionText({ original: { source, destination, destinationPort } }: ConntrackEntry): string {
  return `${source} ${destination} ${destinationPort}`
}

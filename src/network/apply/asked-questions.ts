/**
 * Questions over UDP that links let pass, for whoever judges the answers from now on: the bridge knows them by its own sets, connection
 * tracking by its entries. Nobody else's answers pass, and no connection hangs on who judged when it began.
 */
import type { IPAddress } from '../../address/index.js'
import type { Conntrack, ConntrackEntry } from '../../conntrack/index.js'
import { NfbridgeError } from '../../errors.js'
import type { Element, NamedSet, Nft, SetElement } from '../../nft/index.js'
import { elementsOf, everything, ofFamily, type SetElement as PlannedElement } from '../plan/elements.js'
import { eachFamily } from '../plan/endpoints.js'
import type { Family } from '../plan/records.js'
import type { UnrememberedLinks } from '../plan/unremembered.js'
import type { NetworkView } from '../plan/view.js'
import type { TableFamily } from '../rules/names.js'
import { setObjects } from '../rules/sets.js'
import { keyFields, keyOf } from './element-fields.js'

/** So many elements are sent at once. */
const AT_ONCE = 10_000

/** Elements for a transaction. */
interface AskedElements {
  readonly element: Omit<Element, 'elem'> & { readonly elem: readonly SetElement[] }
}

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

  /** What connection tracking alone knows of links, for the bridges: as long as links stand these remember for themselves, and longer. */
  async tellBridges(view: NetworkView): Promise<void> {
    const { pairs = [] } = everything(view)
    const elements = [...elementsOf(view, { pairs }).values()]
    for (const { element } of await this.ofTracking(elements)) {
      const elem = (await this.#read('bridge', element.name))?.elem ?? []
      const known = new Set(elem.map(keyText))
      const unknown = element.elem.filter((each) => !known.has(keyText(each)))
      await this.#add(element, unknown)
    }
  }

  /** The same as elements of table bridge, of the links among those given: for a transaction that makes its sets. */
  async ofTracking(elements: readonly PlannedElement[]): Promise<AskedElements[]> {
    const linked = linkTexts(elements)
    if (linked.size === 0) return []
    const entries = (await this.#conntrack.list({ protocol: 'udp' })).filter((entry) =>
      linked.has(questionText(entry)),
    )
    return eachFamily.flatMap((family) =>
      this.#elements(
        'bridge',
        ofFamily('asked', family),
        entries.filter(({ original }) => original.source.family === family).map(elementOf),
      ),
    )
  }

  /** Takes all who may have asked for askers, of whatever port: for a transaction by which their networks close. */
  presumed(unremembered: readonly UnrememberedLinks[]): AskedElements[] {
    return unremembered.flatMap(({ family: table, links }) =>
      eachFamily.flatMap((family) =>
        this.#elements(
          table,
          ofFamily('asked_of_links', family),
          links.flatMap(({ set, key }) => (set === ofFamily('links', family) ? [askedOfLink(key)] : [])),
        ),
      ),
    )
  }

  #elements(family: TableFamily, name: string, elem: readonly SetElement[]): AskedElements[] {
    if (elem.length === 0) return []
    return setObjects(family, this.#table).flatMap((object) => {
      if (!('set' in object) || object.set.name !== name) return []
      const { table, type, flags = [] } = object.set
      return [{ element: { family, table, name, ...(type !== undefined && { type }), flags, elem } }]
    })
  }

  /** Forgets what was asked over links that are gone: who has their addresses next has asked nothing. */
  async forget(gone: readonly PlannedElement[]): Promise<void> {
    for (const family of eachFamily) {
      const links = linkTexts(gone.filter(({ set }) => set === ofFamily('links', family)))
      if (links.size > 0) await this.#forgetWhere(family, ({ link }) => links.has(link))
    }
  }

  /** Forgets what was asked over links that are not among these elements, which are all that there are: of a process that was killed. */
  async forgetAllBut(standing: readonly PlannedElement[]): Promise<void> {
    const links = linkTexts(standing)
    for (const family of eachFamily) await this.#forgetWhere(family, ({ link }) => !links.has(link))
  }

  /** Forgets what somebody with one of these addresses asked, or was asked. */
  async forgetAddresses(addresses: readonly IPAddress[]): Promise<void> {
    const texts = new Set(addresses.map(String))
    for (const family of eachFamily)
      if (addresses.some((address) => address.family === family))
        await this.#forgetWhere(family, ({ client, server }) => texts.has(client) || texts.has(server))
  }

  async #forgetWhere(family: Family, isGone: (question: Question) => boolean): Promise<void> {
    for (const table of ['bridge', 'inet'] as const)
      for (const name of ['asked', 'asked_of_links'] as const) {
        const set = await this.#read(table, ofFamily(name, family))
        if (set?.elem)
          await this.#delete(
            set,
            set.elem.flatMap((element) => keyWhere(element, isGone)),
          )
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

  async #add(set: NamedSet | Omit<Element, 'elem'>, elem: Element['elem']): Promise<void> {
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
  return { elem: { val, ...(remaining !== undefined && { timeout: Math.max(1, remaining) }) } }
}

/** Who asked whom, as an element says it, and over which link. */
interface Question {
  readonly client: string
  readonly server: string
  readonly link: string
}

/** The key of a question, if it is meant: client, server, perhaps the client's port, and the server's. */
function keyWhere(element: SetElement, isMeant: (question: Question) => boolean): SetElement[] {
  const fields = keyFields(element)
  const [client, server] = fields.map(String)
  if (client === undefined || server === undefined) return []
  return isMeant({ client, server, link: `${client} ${server} ${fields.at(-1)}` }) ? [keyOf(element)] : []
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

function keyText(element: SetElement): string {
  return keyFields(element).join(' ')
}

/** Without the protocol. */
function askedOfLink([client, server, , port]: PlannedElement['key']): SetElement {
  return {
    concat: [client, server, port].flatMap((field) => (typeof field === 'object' ? [] : (field ?? []))),
  }
}

function questionText({ original: { source, destination, destinationPort } }: ConntrackEntry): string {
  return `${source} ${destination} ${destinationPort}`
}

import { IPv6Address } from '../../address/index.js'
import { NfbridgeError } from '../../errors.js'
import type { Nft } from '../../nft/index.js'
import type { Fact } from '../plan/revocations.js'
import { keyOf } from './element-fields.js'

const SET = 'revoked'

/**
 * What was revoked while the state directory could not be written: remembered by the kernel, until it restarts, in a table of its own,
 * which has no chain and is there only then. Each fact is an element, as an address.
 */
export class RevokedMarks {
  readonly #nft: Nft
  readonly #table: string

  constructor(nft: Nft, table: string) {
    this.#nft = nft
    this.#table = `${table}-revoked`
  }

  async read(): Promise<Fact[]> {
    try {
      const { nftables } = await this.#nft.list({
        family: 'inet',
        table: this.#table,
        set: SET,
        kinds: ['set'],
      })
      const elements = nftables.flatMap((object) => ('set' in object ? (object.set.elem ?? []) : []))
      return elements.map(keyOf).flatMap((key) => (typeof key === 'string' ? [factOf(key)] : []))
    } catch (error) {
      if (error instanceof NfbridgeError && error.code === 'NFB_MISSING') return []
      throw error
    }
  }

  async add(facts: ReadonlySet<Fact>): Promise<void> {
    const transaction = this.#nft.transaction()
    transaction.add({ table: { family: 'inet', name: this.#table } })
    const set = { family: 'inet', table: this.#table, name: SET, type: 'ipv6_addr' } as const
    transaction.add({ set })
    const elem = [...facts].map((fact) => IPv6Address.fromBigInt(BigInt(`0x${fact}`)).toString())
    if (elem.length > 0) transaction.add({ element: { ...set, elem } })
    await transaction.commit()
  }

  async clear(): Promise<void> {
    const table = { family: 'inet', name: this.#table } as const
    await this.#nft.transaction().add({ table }).delete({ table }).commit()
  }
}

function factOf(address: string): Fact {
  return BigInt(IPv6Address.parse(address).value).toString(16).padStart(32, '0')
}

import { checkObject } from '../input.js'
import type { AddressRecord } from '../native/records.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import { type Address, type AddressSpec, readAddressRecord } from './address.js'
import type { Connection } from './connection.js'
import type { Direction } from './operation.js'
import { compact, type Device, familyNumber } from './values.js'

/** Which addresses to list; all given conditions hold. */
export interface AddressFilter {
  readonly device?: Device
  readonly family?: 4 | 6
}

/** The addresses of a namespace's links. */
export class Addresses {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  async list(given: AddressFilter = {}): Promise<Address[]> {
    const caller = 'rtnl.addresses.list'
    const filter = checkObject(readInput(given, caller, 'filter'), ['device', 'family'], caller, 'filter')
    const record = compact<AddressRecord>({
      family: filter.family === undefined ? undefined : familyNumber(filter.family),
      index:
        filter.device === undefined
          ? undefined
          : await this.#connection.indexOf(filter.device, caller, 'device'),
    })
    const read = (message: ReplyMessage): Address | undefined => {
      const address = message.name === 'newAddress' ? readAddressRecord(message.record) : undefined
      return record.index === undefined || address?.device === record.index ? address : undefined
    }
    return this.#connection.list('getAddress', record, read, caller)
  }

  /** @throws NfbridgeError NFB_EXISTS, NFB_MISSING (the link), NFB_INVALID_ADDRESS */
  add(address: AddressSpec): Promise<void> {
    return this.#apply('add', address)
  }

  /** Adds it; where it is there already, the kernel takes over its metric and its flags and leaves the rest. */
  replace(address: AddressSpec): Promise<void> {
    return this.#apply('replace', address)
  }

  /** @throws NfbridgeError NFB_MISSING */
  delete(address: AddressSpec): Promise<void> {
    return this.#apply('delete', address)
  }

  #apply(action: Direction, address: AddressSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'address', action, address }], `rtnl.addresses.${action}`)
  }
}

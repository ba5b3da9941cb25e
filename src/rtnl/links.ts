import { NfbridgeError } from '../errors.js'
import { checkArray, checkObject } from '../input.js'
import type { LinkRecord } from '../native/records.js'
import type { ReplyMessage } from '../native/unpack.js'
import { readInput } from '../read-input.js'
import { SKIP_STATISTICS } from './batch.js'
import type { Connection } from './connection.js'
import { type Link, readLink } from './link.js'
import type { LinkChange, LinkSelector, LinkSpec } from './link-spec.js'
import { checkDevice, compact, type Device } from './values.js'

/** Which links to list; all given conditions hold. */
export interface LinkFilter {
  readonly kind?: string
  /** Ports of this bridge. */
  readonly master?: Device
  readonly group?: number
}

/** The links of a namespace. */
export class Links {
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Lists links; the kernel filters by `kind` and `master`. */
  async list(given: LinkFilter = {}): Promise<Link[]> {
    const caller = 'rtnl.links.list'
    const filter = checkObject(
      readInput(given, caller, 'filter'),
      ['kind', 'master', 'group'],
      caller,
      'filter',
    )
    const record = compact<LinkRecord>({
      extMask: SKIP_STATISTICS,
      master:
        filter.master === undefined
          ? undefined
          : await this.#connection.indexOf(filter.master, caller, 'master'),
      linkinfo: filter.kind === undefined ? undefined : { kind: filter.kind },
    })
    // A kernel that does not filter strictly answers with more than was asked for.
    const isAsked = ({ master, kind, group }: Link): boolean =>
      (record.master === undefined || master === record.master) &&
      (filter.kind === undefined || kind === filter.kind) &&
      (filter.group === undefined || group === filter.group)
    const read = (message: ReplyMessage): Link | undefined => {
      const link = message.name === 'newLink' ? readLink(message.record) : undefined
      return link && isAsked(link) ? link : undefined
    }
    return this.#connection.list('getLink', record, read, caller)
  }

  /** One link. @throws NfbridgeError NFB_MISSING, NFB_INVALID_NAME */
  async get(device: Device): Promise<Link> {
    const [link] = await this.#get([device], 'rtnl.links.get', () => 'device')
    if (link) return link
    throw new NfbridgeError({
      code: 'NFB_MISSING',
      operation: 'rtnl.links.get',
      message: `there is no link ${device}`,
    })
  }

  /** Several links in one send, in the order of the input. @throws NfbridgeError NFB_MISSING, NFB_INVALID_NAME */
  getAll(devices: readonly Device[]): Promise<Link[]> {
    return this.#get(devices, 'rtnl.links.getAll', (index) => `devices[${index}]`)
  }

  async #get(devices: readonly Device[], caller: string, pathOf: (index: number) => string): Promise<Link[]> {
    const requests = checkArray(readInput(devices, caller, 'devices'), caller, 'devices').map(
      (device, index) => {
        const checked = checkDevice(device, caller, pathOf(index))
        const record = typeof checked === 'number' ? { index: checked } : { ifname: checked }
        return {
          record: { ...record, extMask: SKIP_STATISTICS },
          subject: `find link ${checked}`,
          path: pathOf(index),
        }
      },
    )
    const messages = await this.#connection.getAll('getLink', requests, caller)
    return messages.flatMap((message) => (message.name === 'newLink' ? [readLink(message.record)] : []))
  }

  /** @throws NfbridgeError NFB_EXISTS, NFB_INVALID_NAME, NFB_MISSING (the master), NFB_NOT_SUPPORTED (the kind) */
  create(link: LinkSpec): Promise<void> {
    return this.#connection.apply([{ kind: 'link', action: 'create', link }], 'rtnl.links.create')
  }

  /** @throws NfbridgeError NFB_MISSING, NFB_INVALID_NAME, NFB_EXISTS (the new name) */
  change(link: LinkChange): Promise<void> {
    return this.#connection.apply([{ kind: 'link', action: 'change', link }], 'rtnl.links.change')
  }

  /** Deletes one link, or all of a group in one message. @throws NfbridgeError NFB_MISSING when there is none */
  delete(link: LinkSelector): Promise<void> {
    return this.#connection.apply([{ kind: 'link', action: 'delete', link }], 'rtnl.links.delete')
  }
}

import { NfbridgeError } from '../errors.js'
import type { LinkRecord } from '../native/records.js'
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

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Lists links; the kernel filters by `kind` and `master`. */
  async list(filter: LinkFilter = {}): Promise<Link[]> {
    const caller = 'rtnl.links.list'
    const record = compact<LinkRecord>({
      extMask: SKIP_STATISTICS,
      master:
        filter.master === undefined
          ? undefined
          : await this.#connection.indexOf(filter.master, caller, 'master'),
      linkinfo: filter.kind === undefined ? undefined : { kind: filter.kind },
    })
    const links: Link[] = []
    for (const message of await this.#connection.dump('getLink', record, caller)) {
      if (message.name !== 'newLink') continue
      const link = readLink(message.record)
      // A kernel that does not filter strictly answers with more than was asked for.
      if (record.master !== undefined && link.master !== record.master) continue
      if (filter.kind !== undefined && link.kind !== filter.kind) continue
      if (filter.group !== undefined && link.group !== filter.group) continue
      links.push(link)
    }
    return links
  }

  /** One link. @throws NfbridgeError NFB_MISSING, NFB_INVALID_NAME */
  async get(device: Device): Promise<Link> {
    const caller = 'rtnl.links.get'
    const checked = checkDevice(device, caller, 'device')
    const record = typeof checked === 'number' ? { index: checked } : { ifname: checked }
    const subject = `find link ${checked}`
    const message = await this.#connection.get(
      'getLink',
      { ...record, extMask: SKIP_STATISTICS },
      caller,
      subject,
    )
    if (message.name === 'newLink') return readLink(message.record)
    throw new NfbridgeError({
      code: 'NFB_INTERNAL',
      operation: caller,
      message: `${subject}: answered by another message`,
    })
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

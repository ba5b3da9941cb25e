/** The interfaces of a namespace, for rules that name them by their index. */
import { unwrap } from '../native/failure.js'
import { MessageFlag, Packer } from '../native/pack.js'
import { unpack } from '../native/unpack.js'
import type { Namespace } from '../netns/index.js'
import type { Interfaces } from './datatype/index.js'

/** Reads the names and indexes of the interfaces that are there now. */
export async function readInterfaces(
  namespace: Namespace,
  operation: string,
  listingLimit?: number,
): Promise<Interfaces> {
  const socket = await namespace.openSocket('route', operation, listingLimit)
  try {
    const packer = new Packer()
    packer.add('getLink', MessageFlag.dump, {})
    const names = new Map<number, string>()
    const indexes = new Map<string, number>()
    for (const message of unpack(unwrap(await socket.dump(packer.words()), operation))) {
      if (message.name !== 'newLink') continue
      const { index, ifname } = message.record
      if (index === undefined || ifname === undefined) continue
      names.set(index, ifname)
      indexes.set(ifname, index)
    }
    return { index: (name) => indexes.get(name), name: (index) => names.get(index) }
  } finally {
    socket.close()
  }
}

/** Thrown by {@link unread}: the interfaces must be read, and what asked for them done again. */
export class InterfacesWanted extends Error {}

/** Stands for interfaces that are read only when somebody asks for one. */
export const unread: Interfaces = {
  index() {
    throw new InterfacesWanted('the interfaces of the namespace are not read yet')
  },
  name() {
    throw new InterfacesWanted('the interfaces of the namespace are not read yet')
  },
}

/**
 * Does something that may need the interfaces: first without, for most never ask.
 * @param read reads them; undefined where nobody can: then names are not taken, and indexes listed
 */
export async function withInterfaces<T>(
  read: (() => Promise<Interfaces>) | undefined,
  work: (interfaces: Interfaces | undefined) => Promise<T>,
): Promise<T> {
  if (read === undefined) return work(undefined)
  try {
    return await work(unread)
  } catch (error) {
    if (!(error instanceof InterfacesWanted)) throw error
  }
  return work(await read())
}

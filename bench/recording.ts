/**
 * What the product sends, and a script for the floor made of it.
 *
 * `record.so`, preloaded into a process that runs the product, writes every netlink send to a file. From these the
 * floor gets all that changes something (rtnetlink NEW, DEL and SET, nf_tables batches) and nothing that only asks:
 * a library that asks more than it must does not thereby raise its own floor.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** One send on a netlink socket. */
export interface Send {
  /** Inode of the namespace that the socket belongs to. */
  readonly inode: bigint
  readonly protocol: number
  readonly bytes: Buffer
}

/** A send in a script of replay.c. */
export interface Step {
  /** `before`: in each round, to prepare what is timed. */
  readonly phase: 'setup' | 'before' | 'timed' | 'undo'
  /** The host, or the container of this number. */
  readonly place: 'host' | number
  readonly protocol: number
  readonly bytes: Buffer
}

/** The descriptor under which replay.c keeps the first container's namespace. */
const firstContainerFd = 100

// linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/veth.h, linux/netfilter/nfnetlink.h
const netlinkRoute = 0
const netlinkNetfilter = 12
const batchBegin = 0x10
const newLink = 16
const delLink = 17
const setLink = 19
const netNsFd = 28
const groupAttribute = 27
const linkInfo = 18
const infoData = 2
const vethInfoPeer = 1
const headerBytes = 16
const linkHeaderBytes = 16
const batchHeaderBytes = 4

const align = (length: number): number => (length + 3) & ~3

/** Reads the sends from `begin` to `end`, in bytes of the file. */
export function readRecording(path: string, begin = 0, end = Number.POSITIVE_INFINITY): Send[] {
  const file = readFileSync(path)
  const sends: Send[] = []
  let at = begin
  while (at + 16 <= Math.min(end, file.length)) {
    const length = file.readUInt32LE(at + 12)
    const bytes = Buffer.from(file.subarray(at + 16, at + 16 + length))
    sends.push({ inode: file.readBigUInt64LE(at), protocol: file.readUInt32LE(at + 8), bytes })
    at += 16 + length
  }
  return sends
}

/** The namespaces that a recording was made in, by their inodes. */
export interface Places {
  readonly host: bigint
  readonly containers: readonly bigint[]
}

/**
 * What the floor sends in one phase: the changes among the sends, for the floor's own namespaces.
 * @param questions whether to send what only asks, too
 */
export function toSteps(
  sends: readonly Send[],
  phase: Step['phase'],
  places: Places,
  questions = false,
): Step[] {
  const numbers = new Map(places.containers.map((inode, number) => [inode, number]))
  const descriptors = new Map<number, number>()
  return sends
    .filter((send) => questions || isChange(send))
    .flatMap(({ inode, protocol, bytes }): Step[] => {
      const place = inode === places.host ? 'host' : numbers.get(inode)
      if (place === undefined) return []
      const own =
        protocol === netlinkRoute
          ? inContainersOf(bytes, descriptors)
          : isBatch(bytes)
            ? ofAnyGeneration(bytes)
            : bytes
      return [{ phase, place, protocol, bytes: own }]
    })
}

/**
 * The least by which the interfaces of `attaching` can be taken away, one DELLINK by their group, and what is left to do of
 * `detaching` then.
 */
export function removalByGroup(
  attaching: readonly Step[],
  detaching: readonly Step[],
): { readonly removal: readonly Step[]; readonly rest: readonly Step[] } {
  const isOfLinks = ({ place, protocol }: Step): boolean => place === 'host' && protocol === netlinkRoute
  const group = attaching
    .filter(isOfLinks)
    .flatMap(({ bytes }) => messagesOf(bytes))
    .flatMap((message) => (message.readUInt16LE(4) === newLink ? [groupOf(message)] : []))
    .find((each) => each !== undefined)
    ?.readUInt32LE(0)
  if (group === undefined) throw new Error('no interface was made in a group')
  const removal: Step[] = []
  const rest = detaching.flatMap((step): Step[] => {
    if (!isOfLinks(step)) return [step]
    const messages = messagesOf(step.bytes)
    for (const message of messages) {
      if (message.readUInt16LE(4) !== delLink) continue
      groupOf(message)?.writeUInt32LE(group, 0)
      removal.push({ ...step, bytes: message })
    }
    const others = messages.filter(
      (message) => ![newLink, delLink, setLink].includes(message.readUInt16LE(4)),
    )
    return others.length === 0 ? [] : [{ ...step, bytes: Buffer.concat(others) }]
  })
  return { removal, rest }
}

/** The messages of a send, each with its padding; copies. */
function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const end = at + align(Math.max(headerBytes, bytes.readUInt32LE(at)))
    messages.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return messages
}

/** The value of IFLA_GROUP in a message about a link. */
function groupOf(message: Buffer): Buffer | undefined {
  const attributes = message.subarray(headerBytes + linkHeaderBytes, message.readUInt32LE(0))
  for (const [type, value] of attributesOf(attributes)) if (type === groupAttribute) return value
  return undefined
}

export function writeScript(path: string, steps: readonly Step[]): void {
  const parts = steps.map(({ phase, place, protocol, bytes }) => {
    const head = Buffer.alloc(16)
    head.writeUInt32LE({ setup: 0, timed: 1, undo: 2, before: 3 }[phase], 0)
    head.writeUInt32LE(place === 'host' ? 0 : place + 1, 4)
    head.writeUInt32LE(protocol, 8)
    head.writeUInt32LE(bytes.length, 12)
    return Buffer.concat([head, bytes], 16 + align(bytes.length))
  })
  writeFileSync(path, Buffer.concat(parts), { mode: 0o600 })
}

/** The sends' sizes, for people; those in many containers together. */
export function describeSteps(steps: readonly Step[]): string {
  const inside = steps.filter(({ place }) => place !== 'host')
  const texts = steps
    .filter(({ place }) => place === 'host' || inside.length === 1)
    .map(({ place, protocol, bytes }) => {
      const family = protocol === netlinkRoute ? 'rtnetlink' : 'nf_tables'
      return `${family} ${bytes.length} B${place === 'host' ? '' : ' in the container'}`
    })
  if (inside.length > 1) texts.push(`${inside.length} in the containers`)
  return texts.join(', ')
}

function isChange({ protocol, bytes }: Send): boolean {
  if (bytes.length < headerBytes) return false
  if (protocol === netlinkNetfilter) return isBatch(bytes)
  return protocol === netlinkRoute && bytes.readUInt16LE(4) % 4 !== 2 // RTM_NEW…, DEL…, GET…, SET… follow each other
}

function isBatch(bytes: Buffer): boolean {
  return bytes.readUInt16LE(4) === batchBegin
}

/** A batch without the generation that it was planned for, so that it can be sent again. */
function ofAnyGeneration(bytes: Buffer): Buffer {
  const length = bytes.readUInt32LE(0)
  const bare = headerBytes + batchHeaderBytes
  if (length <= bare) return bytes
  const begin = Buffer.from(bytes.subarray(0, bare))
  begin.writeUInt32LE(bare, 0)
  return Buffer.concat([begin, bytes.subarray(align(length))])
}

/**
 * Messages about links that name a container's namespace by the descriptor that replay.c has it under: the product makes the
 * containers' interfaces in the order of the containers.
 */
function inContainersOf(bytes: Buffer, descriptors: Map<number, number>): Buffer {
  for (
    let at = 0;
    at + headerBytes <= bytes.length;
    at += align(Math.max(headerBytes, bytes.readUInt32LE(at)))
  ) {
    if (bytes.readUInt16LE(at + 4) !== newLink) continue
    renameNamespace(
      bytes.subarray(at + headerBytes + linkHeaderBytes, at + bytes.readUInt32LE(at)),
      descriptors,
    )
  }
  return bytes
}

function renameNamespace(attributes: Buffer, descriptors: Map<number, number>): void {
  for (const [type, value] of attributesOf(attributes)) {
    if (type === netNsFd) {
      const recorded = value.readUInt32LE(0)
      const descriptor = descriptors.get(recorded) ?? firstContainerFd + descriptors.size
      descriptors.set(recorded, descriptor)
      value.writeUInt32LE(descriptor, 0)
    }
    if (type !== linkInfo) continue
    for (const [infoType, info] of attributesOf(value)) {
      if (infoType !== infoData) continue
      for (const [dataType, peer] of attributesOf(info)) {
        if (dataType === vethInfoPeer && peer.length >= linkHeaderBytes)
          renameNamespace(peer.subarray(linkHeaderBytes), descriptors)
      }
    }
  }
}

function* attributesOf(bytes: Buffer): Generator<readonly [type: number, value: Buffer]> {
  let at = 0
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(at)
    if (length < 4 || at + length > bytes.length) return
    yield [bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length)]
    at += align(length)
  }
}

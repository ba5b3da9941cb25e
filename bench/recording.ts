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
  readonly phase: 'setup' | 'timed' | 'undo'
  readonly place: 'host' | 'container'
  readonly protocol: number
  readonly bytes: Buffer
}

/** The descriptor under which replay.c keeps the container's namespace. */
const containerFd = 100

// linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/veth.h, linux/netfilter/nfnetlink.h
const netlinkRoute = 0
const netlinkNetfilter = 12
const batchBegin = 0x10
const newLink = 16
const netNsFd = 28
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
  readonly container: bigint
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
  return sends
    .filter(({ inode }) => inode === places.host || inode === places.container)
    .filter((send) => questions || isChange(send))
    .map(({ inode, protocol, bytes }) => ({
      phase,
      place: inode === places.container ? 'container' : 'host',
      protocol,
      bytes:
        protocol === netlinkRoute ? inContainerOf(bytes) : isBatch(bytes) ? ofAnyGeneration(bytes) : bytes,
    }))
}

export function writeScript(path: string, steps: readonly Step[]): void {
  const parts = steps.map(({ phase, place, protocol, bytes }) => {
    const head = Buffer.alloc(16)
    head.writeUInt32LE({ setup: 0, timed: 1, undo: 2 }[phase], 0)
    head.writeUInt32LE({ host: 0, container: 1 }[place], 4)
    head.writeUInt32LE(protocol, 8)
    head.writeUInt32LE(bytes.length, 12)
    return Buffer.concat([head, bytes], 16 + align(bytes.length))
  })
  writeFileSync(path, Buffer.concat(parts), { mode: 0o600 })
}

/** The sends' sizes, for people. */
export function describeSteps(steps: readonly Step[]): string {
  return steps
    .filter(({ phase }) => phase === 'timed')
    .map(({ place, protocol, bytes }) => {
      const family = protocol === netlinkRoute ? 'rtnetlink' : 'nf_tables'
      return `${family} ${bytes.length} B${place === 'container' ? ' in the container' : ''}`
    })
    .join(', ')
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

/** Messages about links that name the container's namespace by the descriptor that replay.c has it under. */
function inContainerOf(bytes: Buffer): Buffer {
  for (
    let at = 0;
    at + headerBytes <= bytes.length;
    at += align(Math.max(headerBytes, bytes.readUInt32LE(at)))
  ) {
    if (bytes.readUInt16LE(at + 4) !== newLink) continue
    renameNamespace(bytes.subarray(at + headerBytes + linkHeaderBytes, at + bytes.readUInt32LE(at)))
  }
  return bytes
}

function renameNamespace(attributes: Buffer): void {
  for (const [type, value] of attributesOf(attributes)) {
    if (type === netNsFd) value.writeUInt32LE(containerFd, 0)
    if (type !== linkInfo) continue
    for (const [infoType, info] of attributesOf(value)) {
      if (infoType !== infoData) continue
      for (const [dataType, peer] of attributesOf(info)) {
        if (dataType === vethInfoPeer && peer.length >= linkHeaderBytes)
          renameNamespace(peer.subarray(linkHeaderBytes))
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

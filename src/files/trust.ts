import { readFileSync, type Stats } from 'node:fs'

const GROUP_OR_OTHERS = 0o022
const OTHERS = 0o002
const STICKY = 0o1000

/** Whether a file belongs to root, to us, or to whom our user namespace has no number for: there we act with our own rights alone. */
export function isOwnedByTrusted({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.() || uid === unmappedUser()
}

/** Whether others than the owner may write: members of its group (which may be more than one's own), or everybody. */
export function isWritableByOthers({ mode }: Stats): boolean {
  return (mode & GROUP_OR_OTHERS) !== 0
}

/** Whether only those whom we trust can put another name or link in the place of one that is theirs: of a directory. */
export function isKeptFromOthers(directory: Stats): boolean {
  return isOwnedByTrusted(directory) && ((directory.mode & OTHERS) === 0 || (directory.mode & STICKY) !== 0)
}

let unmapped: { readonly uid: number | undefined } | undefined

/** The number that stands for all users without one in our user namespace; undefined in that of the machine, where each has one. */
function unmappedUser(): number | undefined {
  unmapped ??= { uid: readUnmappedUser() }
  return unmapped.uid
}

function readUnmappedUser(): number | undefined {
  try {
    if (/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'))) return undefined
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'latin1'))
  } catch {
    return undefined
  }
}

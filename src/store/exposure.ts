import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { NfbridgeError } from '../errors.js'
import { type Folder, isKeptFromOthers, isWritableByOthers } from '../files/index.js'

/**
 * Refuses a directory in which somebody else than root and this process could change what is remembered, or that somebody else could put
 * another one in the place of: what stands in it decides who reaches whom.
 * @param named as the caller knows it
 * @throws NfbridgeError NFB_STATE_EXPOSED
 */
export function refuseExposedWay(folder: Folder, named: string): void {
  refuseExposed(folder.status, named)
  for (let path = folder.path; path !== '/'; ) {
    path = dirname(path)
    if (!isKeptFromOthers(statSync(path)))
      throw exposed(named, `another user can replace what is in ${path}, above it`, path)
  }
}

/** The same of one directory or file alone. */
export function refuseExposed(status: Stats, named: string): void {
  if (status.uid !== 0 && status.uid !== process.geteuid?.())
    throw exposed(named, `it belongs to the user ${status.uid}`, named)
  if (isWritableByOthers(status)) throw exposed(named, 'its group or others may write to it', named)
}

function exposed(named: string, why: string, path: string): NfbridgeError {
  return new NfbridgeError({
    code: 'NFB_STATE_EXPOSED',
    operation: 'store.open',
    message:
      `${named} is not kept from other users: ${why}; make it root's or this user's and take the rights of others away ` +
      `(chown root ${path} && chmod go-w ${path}), when you have seen that nobody has changed it, or give another state directory`,
    path: 'state',
  })
}

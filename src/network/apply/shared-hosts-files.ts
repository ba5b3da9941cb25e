import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { joinPath, NfbridgeError } from '../../errors.js'
import type { ContainerSettings } from '../plan/container-settings.js'
import type { NetworkView } from '../plan/view.js'

/**
 * A hosts file is of one container: each would take the lines of the other for those that it had itself. By whatever path it is given.
 * @throws NfbridgeError NFB_SETTING_CONFLICT
 */
export function refuseSharedHostsFiles(
  view: NetworkView,
  settings: readonly Pick<ContainerSettings, 'hostsFile' | 'path'>[],
  operation: string,
): void {
  if (settings.every(({ hostsFile }) => hostsFile === undefined)) return
  const holders = new Map<string, string>()
  for (const { hostsFile, name } of view.containers) {
    if (hostsFile !== undefined) holders.set(realPath(hostsFile), `the container "${name}"`)
  }
  for (const { hostsFile, path } of settings) {
    if (hostsFile === undefined) continue
    const file = realPath(hostsFile)
    const holder = holders.get(file)
    if (holder !== undefined) {
      throw new NfbridgeError({
        code: 'NFB_SETTING_CONFLICT',
        operation,
        message: `${hostsFile} is the hosts file of ${holder}; give each container its own`,
        path: joinPath(path, 'hostsFile'),
      })
    }
    holders.set(file, 'another container of this call')
  }
}

/** Without symbolic links, as far as there is something. */
function realPath(file: string): string {
  try {
    return realpathSync.native(file)
  } catch {
    const folder = dirname(file)
    return folder === file ? file : join(realPath(folder), basename(file))
  }
}

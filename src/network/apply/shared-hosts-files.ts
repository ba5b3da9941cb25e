import { joinPath, NfbridgeError } from '../../errors.js'
import type { ContainerSettings } from '../plan/container-settings.js'
import type { NetworkView } from '../plan/view.js'
import { realHostsFile } from './hosts-file.js'
import { inOperation } from './steps.js'

/**
 * Hosts files where they are, whatever symbolic links lead there. One is of one container: each would take the lines of the other for
 * those that it had itself.
 * @throws NfbridgeError NFB_SETTING_CONFLICT; NFB_INVALID_ARGUMENT, NFB_NOT_PERMITTED where there is no such directory
 */
export function withRealHostsFiles<T extends Pick<ContainerSettings, 'hostsFile' | 'path'>>(
  view: NetworkView,
  settings: readonly T[],
  operation: string,
): T[] {
  if (settings.every(({ hostsFile }) => hostsFile === undefined)) return [...settings]
  const holders = new Map<string, string>()
  for (const { hostsFile, name } of view.containers) {
    if (hostsFile !== undefined) holders.set(hostsFile, `the container "${name}"`)
  }
  return settings.map((each) => {
    const { hostsFile: given, path: place } = each
    if (given === undefined) return each
    const path = joinPath(place, 'hostsFile')
    const hostsFile = realOf(given, path, operation)
    const holder = holders.get(hostsFile)
    if (holder !== undefined) {
      throw new NfbridgeError({
        code: 'NFB_SETTING_CONFLICT',
        operation,
        message: `${given} is the hosts file of ${holder}; give each container its own`,
        path,
      })
    }
    holders.set(hostsFile, 'another container of this call')
    return { ...each, hostsFile }
  })
}

function realOf(file: string, path: string, operation: string): string {
  try {
    return realHostsFile(file, path)
  } catch (error) {
    throw inOperation(error, operation)
  }
}

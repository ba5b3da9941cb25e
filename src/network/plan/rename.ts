import { checkString } from '../../input.js'
import { Claims, refusal } from './claims.js'
import { checkContainerName } from './identity.js'
import type { Plan } from './plan.js'
import type { ContainerRecord } from './records.js'
import type { Registry } from './registry.js'

const RENAME = 'Container.rename'

/**
 * Gives a container another name. No rule has it, and links hold ids and aliases: it is in the hosts files of those that are linked to it.
 * @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_NAME_TAKEN
 */
export function planRename(registry: Registry, container: ContainerRecord, given: string): Plan {
  const name = checkContainerName(checkString(given, RENAME, 'name'), 'name')
  if (name === container.name) return { change: {}, touched: {} }
  const claimed = new Claims(registry).name(name, refusal(RENAME, ''), container.id)
  return { change: { containers: new Map([[container.id, { ...container, name: claimed }]]) }, touched: {} }
}

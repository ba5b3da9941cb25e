import { NfbridgeError } from '../../errors.js'
import { clientPairs } from './link.js'
import { containerLabel, type Plan } from './plan.js'
import { type ContainerPort, type ContainerRecord, portText } from './records.js'
import type { Registry } from './registry.js'

/** Exposes further ports of a container: the links to it open them at once. */
export function planExpose(
  registry: Registry,
  container: ContainerRecord,
  ports: readonly ContainerPort[],
): Plan {
  const exposed = new Map([...container.exposed, ...ports].map((port) => [portText(port), port]))
  return exposureChange(registry, container, [...exposed.values()])
}

/** Takes exposed ports back; one that is not exposed is an error. Published ports stay open to links. */
export function planUnexpose(
  registry: Registry,
  container: ContainerRecord,
  ports: readonly ContainerPort[],
): Plan {
  const exposed = new Map(container.exposed.map((port) => [portText(port), port]))
  for (const port of ports) {
    if (exposed.delete(portText(port))) continue
    throw new NfbridgeError({
      code: 'NFB_NOT_FOUND',
      operation: 'Container.unexpose',
      message: `${containerLabel(container)} does not expose ${portText(port)}`,
      path: 'ports',
    })
  }
  return exposureChange(registry, container, [...exposed.values()])
}

function exposureChange(
  registry: Registry,
  container: ContainerRecord,
  exposed: readonly ContainerPort[],
): Plan {
  return {
    change: { containers: new Map([[container.id, { ...container, exposed }]]) },
    touched: { pairs: clientPairs(registry, container) },
  }
}

import type { Touched } from './elements.js'
import { type ContainerRecord, shortId } from './records.js'
import type { ViewChange } from './view.js'

/** A change that was checked against what stands: what it makes of it, and which part of it it touches. */
export interface Plan {
  readonly change: ViewChange
  readonly touched: Touched
}

/** How an error names a container. */
export function containerLabel(container: Pick<ContainerRecord, 'name' | 'id'>): string {
  const short = shortId(container.id)
  return container.name === short ? `"${short}"` : `"${container.name}" (${short})`
}

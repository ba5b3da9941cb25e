import { afterEach } from 'vitest'
import { Namespace } from '../../src/netns/index.js'

/** Closes what a test has opened, the last first, also when the test fails. Call it once, at the top of a file. */
export function closeAfterEach(): <T extends { close(): unknown }>(resource: T) => T {
  const open: { close(): unknown }[] = []
  afterEach(async () => {
    for (const resource of open.splice(0).reverse()) await resource.close()
  })
  return (resource) => {
    open.push(resource)
    return resource
  }
}

/** New namespaces that are closed after the test. */
export async function newNamespaces(
  keep: <T extends { close(): unknown }>(resource: T) => T,
  count: number,
): Promise<Namespace[]> {
  const namespaces: Namespace[] = []
  for (let index = 0; index < count; index++) namespaces.push(keep(await Namespace.create()))
  return namespaces
}

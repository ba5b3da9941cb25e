import type { Machine } from '../../lab/machine.js'
import { MachinePool } from '../../lab/pool.js'
import type { Namespace } from '../../src/netns/index.js'
import { cleanUp } from './clean-up.js'
import { newNamespaces } from './namespaces.js'

/** One for all tests of a process: starting a thread takes longer than most of them. */
const pool = new MachinePool()

/** Machines in new namespaces, in the order of their names, that are closed after the test. */
export async function testMachines<const Names extends readonly string[]>(
  names: Names,
): Promise<{ readonly [Index in keyof Names]: Machine }>
export async function testMachines(names: readonly string[]): Promise<readonly Machine[]> {
  const machines = await pool.createAll(names)
  for (const machine of machines) cleanUp(() => machine.close())
  return machines
}

/** Namespaces, of which nobody serves or probes anything, that are closed after the test. */
export function createNamespaces(count: number): Promise<Namespace[]> {
  return newNamespaces((resource) => {
    cleanUp(() => resource.close())
    return resource
  }, count)
}

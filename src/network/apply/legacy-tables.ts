import type { Namespace } from '../../netns/index.js'

/**
 * Names of the tables of the former iptables (x_tables): `filter`, `ip6 nat`. They are made by the first call of iptables-legacy, and not
 * listed with those of nf_tables.
 */
export async function readLegacyTables(namespace: Pick<Namespace, 'readProcNet'>): Promise<string[]> {
  const names = async (file: string): Promise<string[]> =>
    ((await namespace.readProcNet(file)) ?? '').split('\n').filter((name) => name !== '')
  const six = await names('ip6_tables_names')
  return [...(await names('ip_tables_names')), ...six.map((name) => `ip6 ${name}`)]
}

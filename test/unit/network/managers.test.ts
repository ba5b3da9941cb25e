import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { managerFindings, managersOf } from '../../../src/network/check/managers.js'
import { link } from '../explain/fixtures.js'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder in the place of /run, as the two programs write it for an interface. */
function run(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-run-'))
  folders.push(folder)
  mkdirSync(join(folder, 'NetworkManager/devices'), { recursive: true })
  mkdirSync(join(folder, 'NetworkManager/system-connections'), { recursive: true })
  mkdirSync(join(folder, 'systemd/netif/links'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const NETWORKD = 'systemd/netif/links/'
const NM = 'NetworkManager/devices/'

it.each([
  ['ADMIN_STATE=configured\nOPER_STATE=degraded\n', true],
  ['ADMIN_STATE=configuring\n', true],
  ['ADMIN_STATE=pending\nOPER_STATE=routable\n', false],
  ['ADMIN_STATE=initialized\nOPER_STATE=routable\n', false],
  ['ADMIN_STATE=unmanaged\nOPER_STATE=routable\n', false],
  ['OPER_STATE=routable\n', false],
])('reads what systemd-networkd says: %j', async (text, managed) => {
  const folder = run({ [`${NETWORKD}7`]: `# This is private data. Do not parse.\n${text}` })
  expect(await managersOf(folder, 7)).toEqual(managed ? ['systemd-networkd'] : [])
  expect(await managersOf(folder, 8)).toEqual([])
})

it.each([
  ['[device]\nmanaged=true\nconnection-uuid=1\n', true],
  ['[device]\nmanaged=false\n', false],
  ['[device]\nmanaged=unknown\n', false],
])('reads what NetworkManager says: %j', async (text, managed) => {
  expect(await managersOf(run({ [`${NM}7`]: text }), 7)).toEqual(managed ? ['NetworkManager'] : [])
})

it.each([
  ['nm-generated=true\nvolatile=true\nexternal=true\n', false],
  ['nm-generated=true\nvolatile=true\n', true],
])('reads what NetworkManager says of the profile of an interface: %j', async (meta, managed) => {
  const folder = run({
    [`${NM}7`]: '[device]\nmanaged=true\nconnection-uuid=a-1\nnm-owned=false\n',
    'NetworkManager/system-connections/lo.nmconnection':
      '[connection]\nid=lo\nuuid=a-2\n\n[.nmmeta]\nexternal=true\n',
    'NetworkManager/system-connections/docker0.nmconnection': `[connection]\nid=docker0\nuuid=a-1\n\n[.nmmeta]\n${meta}`,
  })
  expect(await managersOf(folder, 7)).toEqual(managed ? ['NetworkManager'] : [])
})

it('tells each manager once, with a drop-in for all that it has taken', async () => {
  const folder = run({
    [`${NETWORKD}3`]: 'ADMIN_STATE=configured\n',
    [`${NETWORKD}10`]: 'ADMIN_STATE=configured\n',
    [`${NM}3`]: '[device]\nmanaged=true\n',
  })
  const findings = await managerFindings(folder, [
    link(3, 'docker0'),
    link(10, 'veth0123456789a'),
    link(11, 'other'),
  ])
  expect(findings.map(({ code, subject }) => [code, subject])).toEqual([
    ['interface-managed', 'docker0'],
    ['interface-managed', 'docker0'],
  ])
  const texts = findings.map(({ remedy }) => remedy).join('\n')
  expect(texts).toContain('`Name=docker0 veth*`')
  expect(texts).toContain('`unmanaged-devices=interface-name:docker0`')
  expect(findings.map(({ message }) => message).join()).not.toContain('other')
})

it('says nothing where neither runs', async () => {
  expect(await managerFindings(run({}), [link(3, 'docker0')])).toEqual([])
  expect(await managerFindings('/nowhere', [link(3, 'docker0')])).toEqual([])
})

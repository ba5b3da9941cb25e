import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { NfbridgeError } from '../../src/errors.js'
import { Namespace } from '../../src/netns/index.js'
import { Rtnl } from '../../src/rtnl/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, run } from '../support/tools.js'

const keep = closeAfterEach()
const INSIDE = 'NFBRIDGE_TEST_WITHOUT_PRIVILEGE'
/** In the child: the path of a namespace that is not its own. */
const other = process.env[INSIDE]

async function errorOf(work: () => unknown): Promise<NfbridgeError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof NfbridgeError) return error
    throw error
  }
  throw new Error('it did not fail')
}

if (other === undefined) {
  test('without CAP_NET_ADMIN and CAP_SYS_ADMIN: this file again, in a child, in a namespace of its own', async () => {
    const own = keep(await Namespace.create())
    const another = keep(await Namespace.create())
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const result = await run('env', [
      `${INSIDE}=${another.path()}`,
      ...['nsenter', `--net=${own.path()}`, '--'],
      ...['setpriv', '--bounding-set=-net_admin,-sys_admin', '--inh-caps=-all', '--'],
      ...[process.execPath, `${root}node_modules/vitest/vitest.mjs`, 'run', '--root', root],
      ...['--project', 'kernel', '--reporter', 'json', fileURLToPath(import.meta.url)],
    ])
    const report: unknown = JSON.parse(result.stdout.slice(result.stdout.indexOf('{')))
    expect(report, JSON.stringify(report, undefined, 1)).toMatchObject({
      numPassedTests: 4,
      numFailedTests: 0,
    })
    expect(await ip(own, '-br', 'link')).toMatch(/^lo .*\n$/)
  })
} else {
  const refused = {
    code: 'NFB_NOT_PERMITTED',
    errno: 'EPERM',
    message: expect.stringMatching(/CAP_NET_ADMIN/),
  }

  test('a link is not created', async () => {
    const rtnl = keep(await Rtnl.open())
    expect(await errorOf(() => rtnl.links.create({ kind: 'bridge', name: 'br0' }))).toMatchObject(refused)
  })

  test('an address is not added', async () => {
    const rtnl = keep(await Rtnl.open())
    expect(await errorOf(() => rtnl.addresses.add({ device: 1, address: '10.0.0.1/8' }))).toMatchObject({
      ...refused,
      path: 'operations[0]',
    })
  })

  test('listing needs no privilege', async () => {
    const rtnl = keep(await Rtnl.open())
    expect((await rtnl.links.list()).map((link) => link.name)).toEqual(['lo'])
  })

  test('a namespace is neither made nor entered', async () => {
    expect(await errorOf(() => Namespace.create())).toMatchObject(refused)
    expect(await errorOf(() => Rtnl.open({ netns: other }))).toMatchObject({ code: 'NFB_NOT_PERMITTED' })
  })
}

import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseAddress } from '../../src/address/index.js'
import { Namespace, PortReservations, type ReservedPort } from '../../src/netns/index.js'
import { closeAfterEach } from '../support/namespaces.js'
import { run } from '../support/tools.js'

const keep = closeAfterEach()
const INSIDE = 'NFBRIDGE_TEST_WITH_LIMITS'

const ports = (first: number, count: number): ReservedPort[] =>
  Array.from({ length: count }, (_, index) => ({
    protocol: 'tcp',
    address: parseAddress('0.0.0.0'),
    port: first + index,
  }))

if (process.env[INSIDE] === undefined) {
  test('with 512 descriptors and without CAP_NET_BIND_SERVICE: this file again, in a child', async () => {
    const own = keep(await Namespace.create())
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const result = await run('env', [
      `${INSIDE}=1`,
      ...['nsenter', `--net=${own.path()}`, '--'],
      ...['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-all', '--'],
      ...['prlimit', '--nofile=512:512', '--'],
      ...[process.execPath, `${root}node_modules/vitest/vitest.mjs`, 'run', '--root', root],
      ...['--project', 'kernel', '--reporter', 'json', fileURLToPath(import.meta.url)],
    ])
    const report: unknown = JSON.parse(result.stdout.slice(result.stdout.indexOf('{')))
    expect(report, JSON.stringify(report, undefined, 1)).toMatchObject({
      numPassedTests: 2,
      numFailedTests: 0,
    })
  })
} else {
  test('more ports than descriptors: none is held', async () => {
    const reservations = keep(PortReservations.open('/proc/thread-self/ns/net'))
    const error = await reservations.reserve(ports(10_000, 600)).catch((cause) => cause)
    expect(error).toMatchObject({ code: 'NFB_TOO_LARGE', errno: 'EMFILE' })
    expect(error.path).toMatch(/^ports\[\d+\]$/)
    await reservations.reserve(ports(10_000, 100))
  })

  test('a port that needs a privilege', async () => {
    const reservations = keep(PortReservations.open('/proc/thread-self/ns/net'))
    await expect(reservations.reserve([...ports(1024, 1), ...ports(80, 1)])).rejects.toMatchObject({
      code: 'NFB_NOT_PERMITTED',
      errno: 'EACCES',
      path: 'ports[1]',
    })
    await reservations.reserve(ports(1024, 1))
  })
}

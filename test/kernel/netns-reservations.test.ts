import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { type Protocol, parseAddress } from '../../src/address/index.js'
import { Namespace, PortReservations, portOwner, type ReservedPort } from '../../src/netns/index.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { run, runIn } from '../support/tools.js'

const keep = closeAfterEach()
const children: ChildProcess[] = []
// Awaited: its pipes are sockets of this process, too.
afterEach(async () => {
  for (const child of children.splice(0)) {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
})

const port = (protocol: Protocol, address: string, number: number): ReservedPort => ({
  protocol,
  address: parseAddress(address),
  port: number,
})

/** Binds as a server does: with SO_REUSEADDR for TCP, and to IPv6 alone. */
const BIND = `
import socket, sys
protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
server = socket.socket(family, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM)
if family == socket.AF_INET6: server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
if protocol == 'tcp': server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    server.bind((address, port))
    if protocol == 'tcp': server.listen()
    print('bound', flush=True)
except OSError as error:
    print(error.errno, flush=True)
    sys.exit()
if len(sys.argv) > 4: sys.stdin.read()
`

/** `bound`, or the errno. */
async function bind(
  namespace: Namespace,
  protocol: string,
  address: string,
  number: number,
): Promise<string> {
  return (await runIn(namespace, 'python3', ['-c', BIND, protocol, address, String(number)])).trim()
}

/** A process that has a port until the end of the test. */
async function server(
  namespace: Namespace,
  protocol: string,
  address: string,
  number: number,
): Promise<number> {
  const args = ['-c', BIND, protocol, address, String(number), 'stay']
  const child = spawn('nsenter', [`--net=${namespace.path()}`, '--', 'python3', ...args])
  children.push(child)
  const [text] = await once(child.stdout, 'data')
  expect(String(text).trim()).toBe('bound')
  return child.pid ?? 0
}

const EADDRINUSE = '98'

async function emptyNamespace(): Promise<Namespace> {
  const [namespace] = await newNamespaces(keep, 1)
  if (namespace === undefined) throw new Error('no namespace')
  await run('nsenter', [`--net=${namespace.path()}`, '--', 'ip', 'link', 'set', 'lo', 'up'])
  return namespace
}

test('reserved ports are nobody else’s until they are released, on the addresses that overlap', async () => {
  const namespace = await emptyNamespace()
  const reservations = keep(PortReservations.open(namespace))
  const ports = [
    port('tcp', '0.0.0.0', 8080),
    port('udp', '0.0.0.0', 5353),
    port('tcp', '::', 8080),
    // An address that nobody has.
    port('tcp', '192.0.2.7', 9090),
    port('udp', '2001:db8::7', 9090),
  ]
  await reservations.reserve(ports)
  expect(await bind(namespace, 'tcp', '127.0.0.1', 8080)).toBe(EADDRINUSE)
  expect(await bind(namespace, 'tcp', '::1', 8080)).toBe(EADDRINUSE)
  expect(await bind(namespace, 'udp', '127.0.0.1', 5353)).toBe(EADDRINUSE)
  expect(await bind(namespace, 'tcp', '0.0.0.0', 9090)).toBe(EADDRINUSE)
  expect(await bind(namespace, 'udp', '::', 9090)).toBe(EADDRINUSE)
  // The controls: other protocols, families, ports.
  expect(await bind(namespace, 'udp', '127.0.0.1', 8080)).toBe('bound')
  expect(await bind(namespace, 'udp', '::1', 5353)).toBe('bound')
  expect(await bind(namespace, 'tcp', '127.0.0.1', 9090)).toBe('bound')
  const [other] = await newNamespaces(keep, 1)
  if (other === undefined) throw new Error('no namespace')
  expect(await bind(other, 'tcp', '0.0.0.0', 8080)).toBe('bound')

  await reservations.release(ports.slice(0, 1))
  expect(await bind(namespace, 'tcp', '127.0.0.1', 8080)).toBe('bound')
  expect(await bind(namespace, 'tcp', '::1', 8080)).toBe(EADDRINUSE)
  await reservations.release(ports)
  expect(await bind(namespace, 'tcp', '::1', 8080)).toBe('bound')
})

/** Sends a datagram and tells what comes back within some seconds. */
const ASK = `
import socket, sys
address, port = sys.argv[1], int(sys.argv[2])
client = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(float(sys.argv[3]))
client.connect((address, port))
client.send(b'?')
try:
    client.recv(1)
except ConnectionRefusedError:
    print('refused')
except TimeoutError:
    print('silence')
`

test('what comes to a reserved port is refused, as where nobody has it', async () => {
  const namespace = await emptyNamespace()
  const reservations = keep(PortReservations.open(namespace))
  const ask = async (address: string, number: number, seconds = 60): Promise<string> =>
    (await runIn(namespace, 'python3', ['-c', ASK, address, String(number), String(seconds)])).trim()
  await reservations.reserve([
    port('udp', '0.0.0.0', 5353),
    port('udp', '::', 5353),
    port('udp', '127.0.0.1', 5354),
    port('tcp', '0.0.0.0', 5353),
    port('tcp', '::', 5353),
  ])
  for (const address of ['127.0.0.1', '::1']) expect(await ask(address, 5353), address).toBe('refused')
  expect(await ask('127.0.0.1', 5354)).toBe('refused')
  const connect = `
import errno, socket
for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
    print(errno.errorcode[socket.socket(family, socket.SOCK_STREAM).connect_ex((address, 5353))])
`
  expect((await runIn(namespace, 'python3', ['-c', connect])).trim().split('\n')).toEqual([
    'ECONNREFUSED',
    'ECONNREFUSED',
  ])
  // The control: a socket that is merely bound swallows what comes.
  await server(namespace, 'udp', '127.0.0.1', 5355)
  expect(await ask('127.0.0.1', 5355, 0.2)).toBe('silence')
})

/** Serves one connection, closes it first, and ends: the port is in TIME_WAIT. Then it binds the port anew, without SO_REUSEADDR. */
const TIME_WAIT = `
import socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('127.0.0.1', 8080))
server.listen()
client = socket.create_connection(('127.0.0.1', 8080))
accepted, _ = server.accept()
accepted.close()
client.recv(1)
client.close()
server.close()
try:
    socket.socket().bind(('127.0.0.1', 8080))
    print('bound')
except OSError as error:
    print(error.errno)
`

test('a connection in TIME_WAIT is not in the way, and the port is kept from others all the same', async () => {
  const namespace = await emptyNamespace()
  // The control: whoever binds without SO_REUSEADDR is refused for a minute.
  expect((await runIn(namespace, 'python3', ['-c', TIME_WAIT])).trim()).toBe(EADDRINUSE)
  const reservations = keep(PortReservations.open(namespace))
  await reservations.reserve([port('tcp', '0.0.0.0', 8080)])
  expect(await bind(namespace, 'tcp', '127.0.0.1', 8080)).toBe(EADDRINUSE)
  const others = keep(PortReservations.open(namespace))
  await expect(others.reserve([port('tcp', '127.0.0.1', 8080)])).rejects.toMatchObject({
    code: 'NFB_PORT_TAKEN',
    message: expect.stringContaining('is taken by this process'),
  })
  await reservations.release([port('tcp', '0.0.0.0', 8080)])
  await others.reserve([port('tcp', '127.0.0.1', 8080)])
})

test('one is taken: none is reserved, and the error names the port and the process', async () => {
  const namespace = await emptyNamespace()
  const reservations = keep(PortReservations.open(namespace))
  const pid = await server(namespace, 'tcp', '127.0.0.1', 8443)
  const ports = [port('tcp', '0.0.0.0', 8080), port('tcp', '0.0.0.0', 8443), port('udp', '0.0.0.0', 53)]
  const error = await reservations.reserve(ports).catch((cause) => cause)
  expect([error.code, error.errno, error.path]).toEqual(['NFB_PORT_TAKEN', 'EADDRINUSE', 'ports[1]'])
  expect(error.message).toContain(`0.0.0.0:8443/tcp is taken by process ${pid} "python3"`)
  expect(await bind(namespace, 'tcp', '127.0.0.1', 8080)).toBe('bound')
  expect(await bind(namespace, 'udp', '127.0.0.1', 53)).toBe('bound')
  // Twice the same: the second is refused, by this process.
  const twice = [port('udp', '0.0.0.0', 53), port('udp', '0.0.0.0', 53)]
  await expect(reservations.reserve(twice)).rejects.toMatchObject({
    code: 'NFB_PORT_TAKEN',
    path: 'ports[1]',
  })
  await reservations.reserve(twice.slice(0, 1))
  const again = await reservations.reserve(twice.slice(0, 1)).catch((cause) => cause)
  expect(again.message).toContain(`0.0.0.0:53/udp is taken by this process (process ${process.pid} "`)
})

test('who has a port', async () => {
  const namespace = await emptyNamespace()
  const tcp = await server(namespace, 'tcp', '0.0.0.0', 80)
  const udp = await server(namespace, 'udp', '::', 53)
  expect(await portOwner(namespace, { protocol: 'tcp', port: 80 })).toBe(`process ${tcp} "python3"`)
  expect(await portOwner(namespace, { protocol: 'udp', port: 53 })).toBe(`process ${udp} "python3"`)
  // What is bound and does not listen is listed, too, and taken for no other port's.
  const reservations = keep(PortReservations.open(namespace))
  await reservations.reserve([port('tcp', '0.0.0.0', 8080)])
  expect(await portOwner(namespace, { protocol: 'tcp', port: 8080 })).toMatch(`process ${process.pid} "`)
  // Of several that have it, the one that is in the way of an address.
  const local = await server(namespace, 'tcp', '127.0.0.1', 9000)
  const elsewhere = await server(namespace, 'tcp', '127.0.0.2', 9000)
  const six = await server(namespace, 'tcp', '::', 9000)
  const on = (address: string): Promise<string | undefined> =>
    portOwner(namespace, port('tcp', address, 9000))
  expect(await on('127.0.0.1')).toBe(`process ${local} "python3"`)
  expect(await on('127.0.0.2')).toBe(`process ${elsewhere} "python3"`)
  expect(await on('127.0.0.3')).toBeUndefined()
  expect(await on('fd00::1')).toBe(`process ${six} "python3"`)
  expect([`process ${local} "python3"`, `process ${elsewhere} "python3"`]).toContain(await on('0.0.0.0'))
  expect(await portOwner(namespace, { protocol: 'tcp', port: 53 })).toBeUndefined()
  expect(await portOwner(namespace, { protocol: 'udp', port: 80 })).toBeUndefined()
  expect(await portOwner(namespace, { protocol: 'sctp', port: 80 })).toBeUndefined()
  const [other] = await newNamespaces(keep, 1)
  if (other === undefined) throw new Error('no namespace')
  expect(await portOwner(other, { protocol: 'tcp', port: 80 })).toBeUndefined()
})

/** The sockets of this process. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

test('closing lets go of everything, also in the middle of calls; a protocol without a kernel is passed over', async () => {
  const namespace = await emptyNamespace()
  const before = sockets()
  const reservations = PortReservations.open(namespace)
  const range = Array.from({ length: 100 }, (_, index) => port('tcp', '0.0.0.0', 20_000 + index))
  await reservations.reserve(range)
  expect(sockets()).toBe(before + 100)
  await reservations.reserve([port('sctp', '0.0.0.0', 20_000)])
  const pending = [0, 1, 2].map((turn) =>
    reservations
      .reserve([port('udp', '0.0.0.0', 30_000 + turn)])
      .then(() => 'reserved')
      .catch(({ code }) => code),
  )
  reservations.close()
  reservations.close()
  for (const outcome of await Promise.all(pending)) expect(['reserved', 'NFB_CLOSED']).toContain(outcome)
  await expect.poll(sockets).toBe(before)
  expect(await bind(namespace, 'tcp', '0.0.0.0', 20_050)).toBe('bound')
  await expect(reservations.reserve(range)).rejects.toMatchObject({ code: 'NFB_CLOSED' })
  await expect(reservations.release(range)).rejects.toMatchObject({ code: 'NFB_CLOSED' })
})

test('reservations outlive the handle of the namespace', async () => {
  const namespace = await Namespace.create()
  const other = keep(Namespace.open(namespace))
  const reservations = keep(PortReservations.open(namespace))
  namespace.close()
  await reservations.reserve([port('tcp', '0.0.0.0', 80)])
  expect(await bind(other, 'tcp', '0.0.0.0', 80)).toBe(EADDRINUSE)
})

test('what is wrong is told before anything is bound', async () => {
  const reservations = keep(PortReservations.open(await emptyNamespace()))
  const wrong = (ports: readonly unknown[]): Promise<unknown> =>
    reservations.reserve(ports as ReservedPort[]).catch(({ code, path }) => [code, path])
  const good = port('tcp', '0.0.0.0', 80)
  expect(await wrong([good, { ...good, port: 0 }])).toEqual(['NFB_INVALID_ARGUMENT', 'ports[1].port'])
  expect(await wrong([{ ...good, port: 65536 }])).toEqual(['NFB_INVALID_ARGUMENT', 'ports[0].port'])
  expect(await wrong([{ ...good, protocol: 'icmp' }])).toEqual(['NFB_INVALID_ARGUMENT', 'ports[0].protocol'])
  expect(await wrong([{ ...good, address: '0.0.0.0' }])).toEqual(['NFB_INVALID_ARGUMENT', 'ports[0].address'])
  expect(await wrong([])).toBeUndefined()
})

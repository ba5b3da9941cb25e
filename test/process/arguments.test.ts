import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  MonitorHandle,
  NamespaceHandle,
  ReservationsHandle,
  SocketHandle,
} from '../../src/native/addon.js'
import { addon } from '../../src/native/load.js'
import { good, randomNumbers, table, words } from './support.js'

let namespace: NamespaceHandle
let socket: SocketHandle
let monitor: MonitorHandle
let reservations: ReservationsHandle

beforeAll(async () => {
  namespace = good(await addon.createNamespace())
  socket = good(await namespace.openSocket('netfilter'))
  monitor = good(await namespace.openMonitor('netfilter', [7], () => {}))
  reservations = good(namespace.openReservations())
})
afterAll(() => {
  reservations.close()
  monitor.close()
  socket.close()
  namespace.close()
})

function detached(): Uint32Array {
  const array = table('t').slice()
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

/** Values of every kind, none of which is right anywhere. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 40,
  1n,
  'text\0with a NUL',
  Symbol('symbol'),
  {},
  [],
  new ArrayBuffer(16),
  new Int32Array(4),
  new Float64Array(4),
  new BigUint64Array(2),
  new DataView(new ArrayBuffer(16)),
  new Proxy(new Uint32Array(4), {}),
  { length: 4, buffer: new ArrayBuffer(16) },
  detached(),
]

function call(target: object, method: string, self: unknown, args: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(target, method)
  if (typeof found !== 'function') throw new Error(`there is no ${method}`)
  return Reflect.apply(found, self, args)
}

/** What each method needs first, so that the argument after it is looked at too; then the wrong ones follow. */
const METHODS: readonly (readonly [
  name: string,
  target: () => object,
  method: string,
  first: readonly unknown[],
])[] = [
  ['addon', () => addon, 'openNamespace', []],
  ['addon', () => addon, 'openNamespaceFd', []],
  ['addon', () => addon, 'unmountNamespace', []],
  ['addon', () => addon, 'encode', []],
  ['addon', () => addon, 'decode', []],
  ['addon', () => addon, 'decode', ['route']],
  ['addon', () => addon, 'lockFile', []],
  ['socket', () => socket, 'request', []],
  ['socket', () => socket, 'requestSync', []],
  ['socket', () => socket, 'dump', []],
  ['socket', () => socket, 'dumpSync', []],
  ['socket', () => socket, 'dumpPart', []],
  ['socket', () => socket, 'transaction', []],
  ['socket', () => socket, 'transactionSync', []],
  ['namespace', () => namespace, 'readSysctl', []],
  ['namespace', () => namespace, 'writeSysctl', []],
  ['namespace', () => namespace, 'writeSysctl', ['net.ipv4.ip_forward']],
  ['namespace', () => namespace, 'openSocket', []],
  ['namespace', () => namespace, 'request', []],
  ['namespace', () => namespace, 'openMonitor', []],
  ['namespace', () => namespace, 'openMonitor', ['route']],
  ['namespace', () => namespace, 'openMonitor', ['route', [1]]],
  ['namespace', () => namespace, 'portOwner', []],
  ['namespace', () => namespace, 'portOwner', [6]],
  ['namespace', () => namespace, 'portOwner', [6, 80]],
  ['namespace', () => namespace, 'sendFrames', []],
  ['namespace', () => namespace, 'sendFrames', ['lo']],
  ['reservations', () => reservations, 'reserve', []],
  ['reservations', () => reservations, 'release', []],
]

describe('wrong arguments throw a TypeError', () => {
  test.each(METHODS)('%s: %3$s(%4$j…)', (_, target, method, first) => {
    for (const wrong of WRONG) {
      expect(() => call(target(), method, target(), [...first, wrong])).toThrow(TypeError)
      expect(() => call(target(), method, target(), [...first, wrong, wrong])).toThrow(TypeError)
    }
    expect(() => call(target(), method, target(), first)).toThrow(TypeError)
  })

  test('options of a transaction', () => {
    for (const generation of WRONG.slice(1))
      for (const method of ['transaction', 'transactionSync'])
        expect(() => call(socket, method, socket, [table('t'), { generation }])).toThrow(TypeError)
    for (const dryRun of [null, 0, 'text', {}])
      expect(() => call(socket, 'transactionSync', socket, [table('t'), { dryRun }])).toThrow(TypeError)
    for (const options of [null, 1, 'text', true, Symbol('symbol')])
      expect(() => call(socket, 'transactionSync', socket, [table('t'), options])).toThrow(TypeError)
    for (const generation of [0, 2 ** 32])
      expect(() => call(socket, 'transactionSync', socket, [table('t'), { generation }])).toThrow(TypeError)
  })

  test('groups of a monitor', () => {
    for (const groups of [
      [0],
      [-1],
      [1.5],
      ['1'],
      [null],
      [1, undefined],
      [2 ** 31],
      new Array(300).fill(1),
      [[1]],
    ])
      expect(() => call(namespace, 'openMonitor', namespace, ['route', groups, () => {}])).toThrow(TypeError)
  })

  test('options of a monitor', () => {
    const options = { message: 'nftNewGeneration', exceptPort: 1, holds: true }
    const wrong = [
      ...[null, 1, 'text', true, Symbol('symbol')],
      ...[undefined, null, 1, 'noMessage', 'newLink'].map((message) => ({ ...options, message })),
      ...[undefined, null, -1, 1.5, 2 ** 32, 'text'].map((exceptPort) => ({ ...options, exceptPort })),
      ...[undefined, null, 1, 'text'].map((holds) => ({ ...options, holds })),
    ]
    for (const each of wrong)
      expect(() => call(namespace, 'openMonitor', namespace, ['netfilter', [7], () => {}, each])).toThrow(
        TypeError,
      )
  })

  test('ports to reserve', () => {
    const port = [6, 4, 80, 0, 0, 0, 0]
    for (const [index, wrong] of [
      [0, 0],
      [0, 58],
      [1, 5],
      [2, 0],
      [2, 65536],
    ] as const) {
      const words = Uint32Array.from([
        ...port,
        ...port.map((word, place) => (place === index ? wrong : word)),
      ])
      expect(() => reservations.reserve(words)).toThrow(TypeError)
      expect(() => reservations.release(words)).toThrow(TypeError)
    }
    expect(() => reservations.reserve(Uint32Array.from(port.slice(1)))).toThrow(TypeError)
  })

  test('the address of an owner', () => {
    for (const length of [1, 3, 5, 15, 17, 4096])
      expect(() => namespace.portOwner(6, 80, new Uint8Array(length))).toThrow(TypeError)
  })

  test('frames that end too early, are too short, too long or too many', async () => {
    const frame = (length: number): number[] => [length & 255, length >> 8, ...new Array(length).fill(0)]
    for (const frames of [
      [1],
      frame(13),
      frame(1515),
      frame(20).slice(0, -1),
      [...frame(14), 0],
      Array.from({ length: 1025 }, () => frame(14)).flat(),
    ]) {
      const outcome = await namespace.sendFrames('lo', Uint8Array.from(frames))
      expect(outcome).toMatchObject([{ reason: 'malformed', call: 'frames' }])
    }
  })

  test('the path of a new namespace', () => {
    for (const path of WRONG.slice(1))
      expect(() => call(addon, 'createNamespace', addon, [path])).toThrow(TypeError)
  })
})

test('what the caller throws comes back to it', () => {
  const options = {
    get generation(): number {
      throw new RangeError('mine')
    },
  }
  expect(() => socket.transactionSync(table('t'), options)).toThrow(new RangeError('mine'))
})

test('a getter that closes the handle in the middle of a call does no harm', async () => {
  const victim = good(await namespace.openSocket('netfilter'))
  const options = {
    get generation(): undefined {
      victim.close()
      return undefined
    },
  }
  expect(victim.transactionSync(table('t'), options)).toMatchObject([{ reason: 'closed' }])
  expect(await victim.transaction(table('t'), options)).toMatchObject([{ reason: 'closed' }])
})

describe('methods take the handles of their own class only', () => {
  const methods = (handle: object): string[] =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(handle)).filter((name) => name !== 'constructor')

  test('any other receiver is refused', () => {
    const handles: readonly object[] = [socket, namespace, monitor, reservations]
    const strangers = [
      undefined,
      null,
      1,
      'text',
      {},
      [],
      () => {},
      Object.create(socket),
      new Proxy(socket, {}),
    ]
    for (const handle of handles) {
      const others: readonly unknown[] = [...strangers, ...handles.filter((other) => other !== handle)]
      for (const name of methods(handle)) {
        const property = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(handle), name)
        const method: unknown = property?.get ?? property?.value
        if (typeof method !== 'function') throw new Error(`${name} is no method`)
        for (const other of others)
          expect(() => Reflect.apply(method, other, [table('t'), [1], () => {}]), name).toThrow(TypeError)
      }
    }
  })

  test('and nobody else makes one', () => {
    for (const handle of [socket, namespace, monitor, reservations]) {
      const made: unknown = Reflect.get(handle, 'constructor')
      if (typeof made !== 'function') throw new Error('no constructor')
      expect(() => Reflect.construct(made, [])).toThrow(TypeError)
      expect(() => Reflect.construct(Object, [], made)).not.toThrow()
      expect(() => Reflect.apply(made, {}, [])).toThrow(TypeError)
      const impostor: unknown = Reflect.construct(Object, [], made)
      for (const name of methods(handle)) {
        const property = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(handle), name)
        const method: unknown = property?.get ?? property?.value
        if (typeof method === 'function')
          expect(() => Reflect.apply(method, impostor, [table('t')])).toThrow(TypeError)
      }
    }
  })
})

test('memory that another thread shares is taken as any other', async () => {
  const given = table('shared')
  const shared = new Uint32Array(new SharedArrayBuffer(given.byteLength))
  shared.set(given)
  good(socket.transactionSync(shared))
  good(await socket.transaction(shared))
})

describe('garbage', () => {
  test('10,000 buffers of words are encoded or refused, never half done', async () => {
    const random = randomNumbers(20_24)
    const next = (): number => random.next().value
    const valid = words('nftNewRule', {
      family: 1,
      table: 't',
      chain: 'c',
      expressions: [{ name: 'counter', data: {} }],
    })
    let refused = 0
    for (let round = 0; round < 10_000; round++) {
      // Half are noise, half a valid message with one word changed: a field, a length, a variant.
      const given =
        round % 2 === 0 ? Uint32Array.from({ length: next() % 40 }, () => next() % 120) : valid.slice()
      if (round % 2 === 1) given[next() % given.length] = next() % 2 === 0 ? next() : next() % 64
      const outcome = addon.encode(given)
      if (outcome instanceof ArrayBuffer) {
        good(addon.decode('netfilter', new Uint8Array(outcome)))
      } else {
        refused++
        expect(outcome).toMatchObject([{ reason: 'malformed', call: 'encode' }])
      }
    }
    expect(refused).toBeGreaterThan(5000)
  })
})

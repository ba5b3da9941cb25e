import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readRecording, type Send, toSteps, writeScript } from '../../bench/recording.js'
import { median, medianRatio } from '../../bench/statistics.js'

const folder = mkdtempSync(join(tmpdir(), 'nfbridge-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const places = { host: 100n, containers: [200n, 201n] }

/** A netlink message: its type, and what follows the header. */
function message(type: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(16 + body.length)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt16LE(type, 4)
  body.copy(bytes, 16)
  return bytes
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + ((value.length + 3) & ~3))
  bytes.writeUInt16LE(4 + value.length, 0)
  bytes.writeUInt16LE(type, 2)
  value.copy(bytes, 4)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value, 0)
  return bytes
}

const send = (protocol: number, bytes: Buffer, inode = places.host): Send => ({ inode, protocol, bytes })

describe('what the floor sends', () => {
  it('leaves out what only asks, and what went to other namespaces', () => {
    const [create, get, remove] = [16, 18, 17].map((type) => send(0, message(type, Buffer.alloc(16))))
    const batch = send(12, message(0x10, Buffer.alloc(4)))
    const listing = send(12, message(0x0a01, Buffer.alloc(4)))
    const elsewhere = send(0, message(16, Buffer.alloc(16)), 300n)
    const sends = [create, get, remove, batch, listing, elsewhere].filter((one) => one !== undefined)
    const steps = toSteps(sends, 'timed', places)
    expect(steps.map(({ bytes }) => bytes.readUInt16LE(4))).toEqual([16, 17, 0x10])
  })

  it('takes the generation out of a batch, and nothing else', () => {
    const rest = message(0x0a06, Buffer.from('rule'))
    const generation = attribute(1, Buffer.from([0, 0, 0, 7]))
    const begin = message(0x10, Buffer.concat([Buffer.from([0, 0, 0, 10]), generation]))
    const [step] = toSteps([send(12, Buffer.concat([begin, rest]))], 'timed', places)
    expect(step?.bytes).toEqual(Buffer.concat([message(0x10, Buffer.from([0, 0, 0, 10])), rest]))
  })

  it("names the container's namespace by the floor's descriptor, at both depths", () => {
    const peer = Buffer.concat([
      Buffer.alloc(16),
      attribute(28, u32(23)),
      attribute(3, Buffer.from('eth0\0')),
    ])
    const info = attribute(
      18,
      Buffer.concat([attribute(1, Buffer.from('veth')), attribute(2, attribute(1, peer))]),
    )
    const bytes = message(16, Buffer.concat([Buffer.alloc(16), attribute(3, Buffer.from('v0\0')), info]))
    const [step] = toSteps([send(0, Buffer.concat([message(18, Buffer.alloc(16)), bytes]))], 'timed', places)
    expect(step).toBeUndefined() // a send that begins with a question is a question

    const [changed] = toSteps([send(0, Buffer.concat([bytes, bytes]))], 'timed', places)
    const expected = Buffer.from(Buffer.concat([bytes, bytes]))
    for (let at = expected.indexOf(u32(23)); at >= 0; at = expected.indexOf(u32(23), at))
      u32(100).copy(expected, at)
    expect(changed?.bytes).toEqual(expected)
  })

  it('says in which namespace each send goes', () => {
    const sends = [201n, 100n].map((inode) => send(0, message(16, Buffer.alloc(16)), inode))
    expect(toSteps(sends, 'undo', places)).toMatchObject([
      { place: 1, phase: 'undo' },
      { place: 'host', phase: 'undo' },
    ])
  })
})

it('reads the recording from one mark to the next', () => {
  const path = join(folder, 'recording')
  const record = (text: string): Buffer => {
    const head = Buffer.alloc(16)
    head.writeBigUInt64LE(5n, 0)
    head.writeUInt32LE(12, 8)
    head.writeUInt32LE(text.length, 12)
    return Buffer.concat([head, Buffer.from(text)])
  }
  writeFileSync(path, Buffer.concat([record('first'), record('second'), record('third')]))
  const begin = record('first').length
  const sends = readRecording(path, begin, begin + record('second').length)
  expect(sends).toEqual([{ inode: 5n, protocol: 12, bytes: Buffer.from('second') }])
})

it('writes a script whose steps are aligned', () => {
  const path = join(folder, 'script')
  writeScript(path, [{ phase: 'undo', place: 0, protocol: 12, bytes: Buffer.from('12345') }])
  const head = [2, 1, 12, 5].map(u32)
  expect(readFileSync(path)).toEqual(Buffer.concat([...head, Buffer.from('12345\0\0\0')]))
})

describe('statistics', () => {
  it('takes the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  it('compares round by round: a slow moment is slow for both', () => {
    expect(medianRatio([20, 2000, 22], [10, 1000, 11])).toBe(2)
  })
})

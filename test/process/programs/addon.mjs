// What the programs of these tests share: the addon as this thread loads it, records as words, counts of what leaks.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

export const addon = createRequire(import.meta.url)('node-gyp-build')(root)

/** The result of a call that must have worked. */
export function good(outcome) {
  if (Array.isArray(outcome)) throw new Error(`a native call failed: ${JSON.stringify(outcome)}`)
  return outcome
}

/** The reasons of a call that must have failed. */
export function reasons(outcome) {
  if (!Array.isArray(outcome)) throw new Error('a native call succeeded that must fail')
  return outcome.map(({ reason }) => reason)
}

function encodeText(text) {
  const bytes = Buffer.from(text)
  const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4)
  bytes.copy(padded)
  return [bytes.length, ...new Uint32Array(padded.buffer, padded.byteOffset, padded.length / 4)]
}

/** A message as native/codec/records.h has it; values are numbers, strings and nested records. */
export function message(name, fields = {}, flags = 0) {
  const id = addon.messages.findIndex((entry) => entry.name === name)
  const body = encodeFields(addon.schemas[addon.messages[id].schema], fields)
  return [id, flags, 0, body.length, ...body]
}

function encodeFields(schema, values) {
  return Object.entries(values).flatMap(([name, value]) => {
    const index = schema.fields.findIndex((field) => field.name === name)
    if (index < 0) throw new Error(`${schema.name} has no field ${name}`)
    if (typeof value === 'number') return [index, value]
    if (typeof value === 'string') return [index, ...encodeText(value)]
    const nested = encodeFields(addon.schemas[schema.fields[index].schema], value)
    return [index, nested.length, ...nested]
  })
}

export const words = (...messages) => Uint32Array.from(messages.flat())

/** So many TCP ports from `first` on, of all IPv4 addresses, for `reserve`. */
export const ports = (first, count) =>
  Uint32Array.from(Array.from({ length: count }, (_, index) => [6, 4, first + index, 0, 0, 0, 0]).flat())

/** A frame of 14 bytes after its length. */
export const frame = Uint8Array.of(14, 0, ...new Uint8Array(12), 0x88, 0xb5)

const CREATE = 0x400
const INET = 1

/** A batch that makes a table with a chain of `count` rules. */
export function rules(table, count) {
  const rule = message('nftNewRule', { family: INET, table, chain: 'c' }, CREATE | 0x800)
  return words(
    message('nftNewTable', { family: INET, name: table }, CREATE),
    message('nftNewChain', { family: INET, table, name: 'c' }, CREATE),
    ...Array.from({ length: count }, () => rule),
  )
}

/**
 * Open descriptors of this process that are sockets, namespaces or event counters, and threads of the addon's own. Each
 * such thread may hold its own namespace open, the process's: that is not counted.
 */
export function inventory() {
  const own = readlinkSync('/proc/self/ns/net')
  const descriptors = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target !== own && /^socket:|^net:|eventfd/.test(target)
    } catch {
      return false // closed meanwhile, such as that of readdir
    }
  })
  const threads = readdirSync('/proc/self/task').filter((task) => {
    try {
      return /^nfb/.test(readFileSync(`/proc/self/task/${task}/comm`, 'utf8'))
    } catch {
      return false
    }
  })
  return { descriptors: descriptors.length, threads: threads.length }
}

/** Waits until nothing is left of what closes on other threads; throws with what remains. */
export async function waitForInventory(expected, limit = 60_000) {
  const end = Date.now() + limit
  for (;;) {
    const found = inventory()
    if (found.descriptors <= expected.descriptors && found.threads <= expected.threads) return
    if (Date.now() > end)
      throw new Error(`${JSON.stringify(found)} is left, expected ${JSON.stringify(expected)}`)
    await sleep(20)
  }
}

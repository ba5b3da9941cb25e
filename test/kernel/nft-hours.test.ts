/** Hours of the day in several time zones: the kernel has those of UTC. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Namespace } from '../../src/netns/index.js'
import { match, Nft, type Statement, verdict } from '../../src/nft/index.js'
import { kernelRecords } from '../conformance/records.js'
import { closeAfterEach, newNamespaces } from '../support/namespaces.js'
import { nft, runIn } from '../support/tools.js'

const keep = closeAfterEach()
const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const zones = ['UTC', 'Asia/Kolkata', 'Asia/Shanghai', 'Pacific/Marquesas', 'Pacific/Kiritimati']
const { hour } = match.meta
const cases: readonly (readonly [nft: string, ours: Statement])[] = [
  ['"01:00"-"05:30"', hour.between('01:00', '05:30')],
  ['"22:00"-"06:00"', hour.between('22:00', '06:00')],
  ['"00:00"-"08:00"', hour.between('00:00', '08:00')],
  ['"00:00"-"23:59:59"', hour.between('00:00', '23:59:59')],
  ['!= "01:00"-"05:30"', hour.notBetween('01:00', '05:30')],
  ['!= "22:00"-"06:00"', hour.notBetween('22:00', '06:00')],
  ['"08:15"', hour.eq('08:15')],
]

async function chains(namespace: Namespace): Promise<Nft> {
  for (const index of cases.keys()) await nft(namespace, 'add table inet t; add chain inet t', `case${index}`)
  return keep(await Nft.open({ netns: namespace }))
}

/** The elements of the one set that a namespace has, as seconds of the day of UTC: true for those in it. */
async function inSet(namespace: Namespace, name: string): Promise<(second: number) => boolean> {
  const connection = keep(await Nft.open({ netns: namespace }))
  const found = (await connection.list()).nftables.flatMap((object) =>
    'set' in object && object.set.name === name ? [object.set] : [],
  )
  const ranges = (found[0]?.elem ?? []).map((element) => {
    const isRange = typeof element === 'object' && 'range' in element
    return isRange ? element.range.map(secondOf) : [secondOf(element), secondOf(element)]
  })
  return (second) => ranges.some(([first = 0, last = 0]) => first <= second && second <= last)
}

/** `HH:MM` or `HH:MM:SS`, listed while the time zone is UTC. */
function secondOf(text: unknown): number {
  const [hours = 0, minutes = 0, seconds = 0] = String(text).split(':').map(Number)
  return hours * 3600 + minutes * 60 + seconds
}

describe.each(zones)('in %s', (place) => {
  it('a range is what nft makes of it, also over midnight of UTC', async () => {
    const [here, there] = await newNamespaces(keep, 2)
    if (!here || !there) throw new Error('no namespaces')
    const connection = await chains(here)
    await chains(there)
    process.env.TZ = place
    for (const [index, [text, ours]] of cases.entries()) {
      const rule = { family: 'inet', table: 't', chain: `case${index}` } as const
      await connection
        .transaction()
        .add({ rule: { ...rule, expr: [ours, verdict.accept()] } })
        .commit()
      const line = `add rule inet t case${index} meta hour ${text} accept`
      await runIn(there, 'env', [`TZ=${place}`, 'nft', line])
    }
    expect((await kernelRecords(here)).chains).toEqual((await kernelRecords(there)).chains)
    // What is listed makes the same again.
    const listed = (await connection.list()).nftables.flatMap((object) =>
      'rule' in object ? [object.rule] : [],
    )
    const again = connection.transaction()
    for (const { handle, ...rule } of listed) {
      const { family, table, chain: name } = rule
      again.flush({ chain: { family, table, name } }).add({ rule })
    }
    await again.commit()
    expect((await kernelRecords(here)).chains).toEqual((await kernelRecords(there)).chains)
  })

  it('a set holds the hours that it is given, and no other', async () => {
    const [here] = await newNamespaces(keep, 1)
    if (!here) throw new Error('no namespace')
    const connection = keep(await Nft.open({ netns: here }))
    const owner = { family: 'inet', table: 't' } as const
    process.env.TZ = place
    const set = (name: string, ...elem: readonly (readonly [string, string])[]) =>
      ({
        set: {
          ...owner,
          name,
          type: 'hour',
          flags: ['interval'],
          elem: elem.map((range) => ({ range })),
        },
      }) as const
    const sets = {
      night: [
        ['22:00', '05:59:59'],
        ['12:00', '12:59:59'],
      ],
      morning: [['01:00', '05:30']],
      day: [['00:00', '24:00']],
    } as const
    const transaction = connection.transaction().add({ table: { family: 'inet', name: 't' } })
    for (const [name, elem] of Object.entries(sets)) transaction.add(set(name, ...elem))
    await transaction.commit()
    // Minutes of the day: which the local clock calls so.
    const local = Array.from({ length: 1440 }, (_, minute) => {
      const at = new Date(Date.UTC(2026, 0, 15) + minute * 60_000)
      return at.getHours() * 3600 + at.getMinutes() * 60
    })
    process.env.TZ = 'UTC'
    for (const [name, elem] of Object.entries(sets)) {
      const isIn = await inSet(here, name)
      const wanted = (second: number): boolean =>
        elem.some(([first, last]) => {
          const [from, to] = [secondOf(first), secondOf(last)]
          return from <= to ? from <= second && second <= to : from <= second || second <= to
        })
      const wrong = local.filter((second, minute) => wanted(second) !== isIn(minute * 60))
      expect({ name, wrong }).toEqual({ name, wrong: [] })
    }
    // An element is deleted by what it was added with.
    process.env.TZ = place
    const type = { type: 'hour', flags: ['interval'] } as const
    const element = { ...owner, ...type, name: 'night', elem: [{ range: ['22:00', '05:59:59'] as const }] }
    await connection.transaction().delete({ element }).commit()
    process.env.TZ = 'UTC'
    const left = await inSet(here, 'night')
    expect(local.filter((_, minute) => left(minute * 60))).toHaveLength(60)
  })
})

/**
 * `npm run hostile [-- --minutes N --seed S]`: sends frames made at random from containers and from outside, and tells what arrives where nothing
 * allows it. The last line is `frames=N kinds=N failures=N`.
 */
import { parseArgs } from 'node:util'
import { kinds } from './networks.js'
import { frameText, hexText } from './print.js'
import { type Failure, type Limits, run } from './run.js'
import { defences } from './without.js'
import { createWorld, type World } from './world.js'

const usage = `usage: npm run hostile [-- [--minutes N] [--seed N] [--rate N] [--without NAME]]
  --minutes N   how long; default 1
  --seed N      the same frames as with the same seed before; default: another each time
  --rate N      at most so many frames a second; default 4000
  --without NAME  takes that defence out first, and ends when that is found; \`all\`: one after the other
`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string' },
      rate: { type: 'string', default: '4000' },
      without: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (process.getuid?.() !== 0) {
    process.stdout.write(
      'skipped: it creates network namespaces: run it as root, or in a user namespace (unshare -Urn)\n',
    )
    process.stdout.write('frames=0 kinds=0 failures=0\n')
    return 0
  }
  const seed = values.seed === undefined ? Date.now() % 0x1000000 : Number(values.seed)
  const limits: Limits = {
    seed,
    seconds: Number(values.minutes) * 60,
    framesPerSecond: Number(values.rate),
    mostFrames: 50_000_000,
    firstOnly: values.without !== undefined,
  }
  process.stdout.write(`seed ${seed}\n`)
  if (values.without !== undefined) return withoutDefences(values.without, limits)
  const { frames, judged, failures, lost } = await run(createWorld, limits)
  for (const failure of failures) report(failure)
  process.stdout.write(`${judged} arrivals judged${lost > 0 ? `, ${lost} lost` : ''}\n`)
  process.stdout.write(`frames=${frames} kinds=${kinds.length} failures=${failures.length}\n`)
  return failures.length > 0 || frames === 0 ? 1 : 0
}

/** Whether each run finds that its defence is gone. */
async function withoutDefences(name: string, limits: Limits): Promise<number> {
  const chosen = defences.filter((defence) => name === 'all' || defence.name === name)
  if (chosen.length === 0) {
    process.stderr.write(`there is no defence ${name}, only ${defences.map((one) => one.name).join(', ')}\n`)
    return 2
  }
  let missed = 0
  for (const defence of chosen) {
    const create = async (): Promise<World> => {
      const world = await createWorld()
      await defence.takeOut(world)
      return world
    }
    const { frames, failures } = await run(create, limits)
    if (failures.length === 0) missed += 1
    process.stdout.write(
      `without ${defence.name}: ${failures.length > 0 ? 'found' : 'NOT FOUND'} after ${frames} frames\n`,
    )
    for (const failure of failures) report(failure)
  }
  process.stdout.write(`defences=${chosen.length} missed=${missed}\n`)
  return missed > 0 ? 1 : 0
}

function report({ what, evidence, count }: Failure): void {
  process.stdout.write(`FAILED (${count} times): ${what}
`)
  if (evidence === undefined) return
  const { sender, frame, bytes, arrived } = evidence
  process.stdout.write(`  ${sender.name} sends ${frameText(frame)}
  sent    ${hexText(bytes)}
`)
  if (arrived)
    process.stdout.write(`  arrived ${hexText(arrived)}
`)
}

process.exitCode = await main()

/** The main job, shown: three containers on a bridge, closed to each other, linked on purpose. `npm run demo [-- --json]` */
import { BridgeHost, NfbridgeError } from 'nfbridge'
import { processesStarted } from './cost.js'
import { becomeCapable } from './privilege.js'
import { type DemoResult, renderResult } from './report.js'
import { type AttachTimes, playScenes } from './scenes.js'
import { snapshot } from './snapshot.js'
import { setStage } from './stage.js'

const json = process.argv.includes('--json')
const unknown = process.argv.slice(2).filter((argument) => argument !== '--json')

if (unknown.length > 0) {
  process.stderr.write(`unknown argument ${unknown.join(' ')}; usage: npm run demo [-- --json]\n`)
  process.exitCode = 2
} else if (becomeCapable()) {
  const result = await run().catch((error: unknown) => {
    process.stderr.write(`${error instanceof NfbridgeError ? error.message : (error as Error).stack}\n`)
    return undefined
  })
  if (result) process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : renderResult(result))
  process.exitCode = result?.ok ? 0 : 1
}

async function run(): Promise<DemoResult> {
  const start = performance.now()
  const stage = await setStage()
  try {
    const before = await snapshot(stage.host.namespace)
    const host = await BridgeHost.open({ netns: stage.host.namespace })
    const times: AttachTimes = new Map()
    const scenes = await playScenes(stage, host, times)
    await host.destroy()
    const { transactions, linkRequests } = host.statistics
    const after = await snapshot(stage.host.namespace)
    const leftBehind = [
      ...after.filter((line) => !before.includes(line)),
      ...before.filter((line) => !after.includes(line)).map((line) => `missing: ${line}`),
    ]
    const { running, waitedFor } = processesStarted()
    const kept = scenes.every(
      ({ attempts, held }) => attempts.every((attempt) => attempt.kept) && (held?.kept ?? true),
    )
    return {
      scenes,
      cost: {
        attach: Object.fromEntries(times),
        transactions,
        linkRequests,
        processesStarted: running + Number(waitedFor),
      },
      leftBehind,
      seconds: (performance.now() - start) / 1000,
      ok: kept && leftBehind.length === 0 && running === 0 && !waitedFor,
    }
  } finally {
    await stage.close()
  }
}

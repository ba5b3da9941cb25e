/** The floor: a C program that sends the bytes that the product sends, and nothing else. */
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Namespace } from 'nfbridge'
import { nanoseconds, type Programs } from './programs.js'
import type { Marks, Recorded } from './record.js'
import { describeSteps, readRecording, removalByGroup, type Step, toSteps, writeScript } from './recording.js'

const run = promisify(execFile)

/** The product's bytes for one row, ready to be sent again. */
export interface Floor {
  /** Sends the set-up once. */
  prepare(): Promise<void>
  /** Sends what is timed, and what undoes it, so many times. */
  replay(times: number): Promise<readonly number[]>
  /** As `replay`, with what only asks among it: the waits of the product, without its JavaScript and its threads. */
  replayWithQuestions(times: number): Promise<readonly number[]>
  /** The other way round: what undoes it is timed, and what goes before it is not. */
  replayUndo(times: number): Promise<readonly number[]>
  /** As `replayUndo`, but interfaces go by one DELLINK by their group, which alone is timed. */
  removeByGroup(times: number): Promise<readonly number[]>
  /** What is sent, for people. */
  readonly description: string
}

/**
 * Records what the product sends and makes a floor of it in a namespace.
 * @param folder where the recording and the scripts are written; the caller's to remove.
 */
export async function recordFloor(
  programs: Programs,
  folder: string,
  what: Recorded,
  count: number,
  host: Namespace,
  containers: readonly Namespace[] = [],
): Promise<Floor> {
  const recording = join(folder, `${what}.recording`)
  rmSync(recording, { force: true }) // another row may have recorded the same
  const recorder = fileURLToPath(new URL('./record.js', import.meta.url))
  const environment = { ...process.env, LD_PRELOAD: programs.record, NFBRIDGE_RECORD: recording }
  const { stdout } = await run(process.execPath, [recorder, recording, what, String(count)], {
    env: environment,
    timeout: 60_000,
  })
  const marks: Marks = JSON.parse(stdout)
  const recorded = { host: BigInt(marks.hostInode), containers: marks.containerInodes.map(BigInt) }
  const steps = (phase: Step['phase'], [begin, end]: readonly [number, number], questions = false): Step[] =>
    toSteps(readRecording(recording, begin, end), phase, recorded, questions)

  const setup = join(folder, `${what}.setup`)
  const rounds = join(folder, `${what}.rounds`)
  const everythingBefore = [0, marks.setup[1]] as const
  writeScript(setup, steps('setup', everythingBefore))
  const timed = steps('timed', marks.timed)
  if (timed.length === 0)
    throw new Error(`nothing was recorded of ${what}: does the addon send without libc?`)
  const undo = steps('undo', marks.undo)
  writeScript(rounds, [...timed, ...undo])
  const talkative = join(folder, `${what}.questions`)
  writeScript(talkative, [...steps('timed', marks.timed, true), ...undo])

  const undoing = join(folder, `${what}.undo`)
  writeScript(undoing, [...steps('before', marks.timed), ...steps('timed', marks.undo)])
  const byGroup = (): string => {
    const path = join(folder, `${what}.by-group`)
    const before = steps('before', marks.timed)
    const { removal, rest } = removalByGroup(before, steps('timed', marks.undo))
    writeScript(path, [...before, ...removal, ...rest.map((step): Step => ({ ...step, phase: 'undo' }))])
    return path
  }

  const places = [host, ...containers].map((namespace) => namespace.path())
  return {
    prepare: async () => {
      await nanoseconds(programs.replay, [setup, '0', ...places])
    },
    replay: (times) => nanoseconds(programs.replay, [rounds, String(times), ...places]),
    replayWithQuestions: (times) => nanoseconds(programs.replay, [talkative, String(times), ...places]),
    replayUndo: (times) => nanoseconds(programs.replay, [undoing, String(times), ...places]),
    removeByGroup: (times) => nanoseconds(programs.replay, [byGroup(), String(times), ...places]),
    description: describeSteps(timed),
  }
}

/** The floor: a C program that sends the bytes that the product sends, and nothing else. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Namespace } from 'nfbridge'
import { nanoseconds, type Programs } from './programs.js'
import type { Marks } from './record.js'
import { describeSteps, readRecording, type Step, toSteps, writeScript } from './recording.js'

const run = promisify(execFile)

/** The product's bytes for one row, ready to be sent again. */
export interface Floor {
  /** Sends the set-up once. */
  prepare(): Promise<void>
  /** Sends what is timed, and what undoes it, so many times. */
  replay(times: number): Promise<readonly number[]>
  /** As `replay`, with what only asks among it: the waits of the product, without its JavaScript and its threads. */
  replayWithQuestions(times: number): Promise<readonly number[]>
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
  what: 'rules' | 'element' | 'elements' | 'attach',
  count: number,
  host: Namespace,
  container?: Namespace,
): Promise<Floor> {
  const recording = join(folder, `${what}.recording`)
  const recorder = fileURLToPath(new URL('./record.js', import.meta.url))
  const environment = { ...process.env, LD_PRELOAD: programs.record, NFBRIDGE_RECORD: recording }
  const { stdout } = await run(process.execPath, [recorder, recording, what, String(count)], {
    env: environment,
    timeout: 60_000,
  })
  const marks: Marks = JSON.parse(stdout)
  const recorded = { host: BigInt(marks.hostInode), container: BigInt(marks.containerInode) }
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

  const places = [host, ...(container === undefined ? [] : [container])].map((namespace) => namespace.path())
  return {
    prepare: async () => {
      await nanoseconds(programs.replay, [setup, '0', ...places])
    },
    replay: (times) => nanoseconds(programs.replay, [rounds, String(times), ...places]),
    replayWithQuestions: (times) => nanoseconds(programs.replay, [talkative, String(times), ...places]),
    description: describeSteps(timed),
  }
}

// Runs a command as one step of the checks or tests: in a process group of its own, so that nothing of it outlives
// the step, and with a limit in time.
import { spawn } from 'node:child_process'

/** Between the request to end and the end by force, in milliseconds. */
const grace = 5000

const running = new Set()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    for (const child of running) killGroup(child, 'SIGTERM')
    setTimeout(() => {
      for (const child of running) killGroup(child, 'SIGKILL')
      process.exit(1)
    }, grace / 2)
  })

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ limit: number, quiet?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} options limit in seconds; quiet: the
 *   output is only collected, not shown
 * @returns {Promise<import('./step.d.mts').StepResult>}
 */
export function runStep(command, args, options) {
  const start = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    const chunks = []
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])
      from.on('data', (chunk) => {
        chunks.push(chunk)
        if (!options.quiet) to.write(chunk)
      })
    let timedOut = false
    const soft = setTimeout(() => {
      timedOut = true
      killGroup(child, 'SIGTERM')
    }, options.limit * 1000)
    const hard = setTimeout(() => killGroup(child, 'SIGKILL'), options.limit * 1000 + grace)
    const finish = (code, failure) => {
      clearTimeout(soft)
      clearTimeout(hard)
      running.delete(child)
      const output = Buffer.concat(chunks).toString() + (failure ? `${failure}\n` : '')
      resolve({
        ok: code === 0 && !timedOut,
        code,
        timedOut,
        output,
        seconds: (performance.now() - start) / 1000,
      })
    }
    child.once('error', (error) => finish(null, `${command}: ${error.message}`))
    child.once('exit', (code) => {
      // What it started and did not wait for ends with it, and lets go of the pipes.
      killGroup(child, 'SIGKILL')
      // A process that left the group may still hold the pipes; it does not hold the step.
      const abandoned = setTimeout(() => finish(code), 2000)
      child.once('close', () => {
        clearTimeout(abandoned)
        finish(code)
      })
    })
  })
}

function killGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // the group is gone: what was wanted
  }
}

/** @param {number} seconds */
export function formatSeconds(seconds) {
  return `${seconds.toFixed(1)} s`
}

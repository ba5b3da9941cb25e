/** The C programs of the bench, compiled when they are missing or older than their source. */
import { execFile } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sources = new URL('../../bench/floor/', import.meta.url) // this file runs as build/bench/programs.js
const binaries = new URL('./floor/', import.meta.url)

export interface Programs {
  /** Path of the program that replays netlink messages: the floor. */
  readonly replay: string
  /** Path of the program that runs commands in a namespace and says how long they took. */
  readonly launch: string
  /** Path of the program that sends datagrams from one namespace to another and back. */
  readonly echo: string
  /** Path of the program that sends along several ways in turn, as fast as one core takes packets along. */
  readonly stream: string
  /** Path of the library that, preloaded, records netlink messages. */
  readonly record: string
}

export async function compilePrograms(): Promise<Programs> {
  mkdirSync(binaries, { recursive: true })
  const [replay, launch, echo, stream, record] = await Promise.all([
    compile('replay.c', 'replay', []),
    compile('launch.c', 'launch', []),
    compile('echo.c', 'echo', []),
    compile('stream.c', 'stream', []),
    compile('record.c', 'record.so', ['-shared', '-fPIC', '-ldl']),
  ])
  return { replay, launch, echo, stream, record }
}

async function compile(source: string, binary: string, options: readonly string[]): Promise<string> {
  const from = new URL(source, sources)
  const to = new URL(binary, binaries)
  const built = statSync(to, { throwIfNoEntry: false })
  if (built !== undefined && built.mtimeMs >= statSync(from).mtimeMs) return fileURLToPath(to)
  const compiler = process.env.CC ?? 'cc'
  await run(compiler, ['-O2', '-Wall', '-Wextra', '-o', fileURLToPath(to), fileURLToPath(from), ...options])
  return fileURLToPath(to)
}

/** libnftables in process: needs libnftables-dev. @throws with the compiler's words */
export async function compileLibnftables(): Promise<string> {
  mkdirSync(binaries, { recursive: true })
  return compile('../peers/libnftables.c', 'libnftables', ['-lnftables'])
}

/** google/nftables: needs Go, and the package where Debian's golang-github-google-nftables-dev puts it. */
export async function compileGoogle(): Promise<string> {
  const from = fileURLToPath(new URL('../peers/google.go', sources))
  const to = new URL('google', binaries)
  const built = statSync(to, { throwIfNoEntry: false })
  if (built !== undefined && built.mtimeMs >= statSync(from).mtimeMs) return fileURLToPath(to)
  const GOPATH = process.env.GOPATH ?? '/usr/share/gocode'
  const GOCACHE = fileURLToPath(new URL('go-cache', binaries))
  await run('go', ['build', '-o', fileURLToPath(to), from], {
    env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH, GOCACHE },
    timeout: 180_000,
  })
  return fileURLToPath(to)
}

/** Runs a program that prints nanoseconds, a line each; `limitMs` ends it. */
export async function nanoseconds(
  program: string,
  words: readonly string[],
  limitMs = 30_000,
): Promise<readonly number[]> {
  return (await rowsOfNanoseconds(program, words, limitMs)).flat()
}

/** The same of a program that prints several in a line. */
export async function rowsOfNanoseconds(
  program: string,
  words: readonly string[],
  limitMs: number,
): Promise<number[][]> {
  const { stdout } = await run(program, words, { timeout: limitMs })
  return stdout
    .split('\n')
    .filter((line) => /^\d+( \d+)*$/.test(line))
    .map((line) => line.split(' ').map(Number))
}

import { execFile } from 'node:child_process'

/** What a program said and how it ended. */
export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A network namespace that tools can be run in: a {@link Namespace} is one. */
export interface ToolNamespace {
  path(): string
}

/** For what hangs, not for what is slow. */
const TIME_LIMIT_MS = 120_000

/** Runs a program with a time limit; never throws for its exit code. */
export function run(
  program: string,
  args: readonly string[],
  input?: string,
  timeout = TIME_LIMIT_MS,
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { timeout, killSignal: 'SIGKILL', maxBuffer: 256 << 20, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') {
          reject(new Error(`${program} ${args.join(' ')}: ${error.message}`, { cause: error }))
          return
        }
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => {}) // a program may end without reading what it is given
    child.stdin?.end(input ?? '')
  })
}

/** Runs a program inside a namespace; the namespace's handle must be open. Throws when the program fails. */
export async function runIn(
  namespace: ToolNamespace,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const result = await run('nsenter', [`--net=${namespace.path()}`, '--', program, ...args], input)
  if (result.code === 0) return result.stdout
  throw new Error(`${program} ${args.join(' ')} ended with ${result.code}: ${result.stderr || result.stdout}`)
}

/** `ip(ns, 'link', 'show')`: what iproute2 prints there. */
export function ip(namespace: ToolNamespace, ...args: string[]): Promise<string> {
  return runIn(namespace, 'ip', args)
}

/** `bridge(ns, 'fdb', 'show')`. */
export function bridge(namespace: ToolNamespace, ...args: string[]): Promise<string> {
  return runIn(namespace, 'bridge', args)
}

/** `nft(ns, 'list', 'ruleset')`. */
export function nft(namespace: ToolNamespace, ...args: string[]): Promise<string> {
  return runIn(namespace, 'nft', args)
}

/** `nft -f -` with the given text. */
export function nftFile(namespace: ToolNamespace, text: string): Promise<string> {
  return runIn(namespace, 'nft', ['-f', '-'], text)
}

/** `conntrack(ns, '-L')`. */
export function conntrack(namespace: ToolNamespace, ...args: string[]): Promise<string> {
  return runIn(namespace, 'conntrack', args)
}

/** The parsed output of `ip -j -d …`; the caller checks what is in it. */
export async function ipJson(namespace: ToolNamespace, ...args: string[]): Promise<JsonObject[]> {
  return parseList(await ip(namespace, '-j', '-d', ...args))
}

/** The parsed output of `bridge -j -d …`. */
export async function bridgeJson(namespace: ToolNamespace, ...args: string[]): Promise<JsonObject[]> {
  return parseList(await bridge(namespace, '-j', '-d', ...args))
}

/** The parsed output of `nft -j …`: the items of its `nftables` array. */
export async function nftJson(namespace: ToolNamespace, ...args: string[]): Promise<JsonObject[]> {
  const parsed: unknown = JSON.parse(await nft(namespace, '-j', ...args))
  if (!isObject(parsed) || !Array.isArray(parsed.nftables))
    throw new Error('nft -j printed no "nftables" array')
  return parsed.nftables.filter(isObject)
}

/** An object that came as JSON. */
export type JsonObject = { readonly [name: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseList(text: string): JsonObject[] {
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(parsed)) throw new Error(`not a JSON array: ${text.slice(0, 80)}`)
  return parsed.filter(isObject)
}

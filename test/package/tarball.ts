import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository: string = fileURLToPath(new URL('../..', import.meta.url))

/** What a command printed and how it ended; never throws for a code other than zero. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * A machine with Node.js and nothing else, as far as the PATH can make one: no compiler, no make, no python. The home, the cache of
 * npm and the settings that `npm test` hands down are not seen either, so nothing comes from anywhere but the tarballs.
 */
export class BareMachine {
  readonly folder: string
  readonly #npm: string
  readonly #env: NodeJS.ProcessEnv

  private constructor(folder: string, npm: string) {
    this.folder = folder
    this.#npm = npm
    this.#env = {
      PATH: join(folder, 'bin'),
      HOME: join(folder, 'home'),
      npm_config_cache: join(folder, 'cache'),
      npm_config_update_notifier: 'false',
    }
  }

  static async create(): Promise<BareMachine> {
    const npm = await findNpm()
    const folder = await mkdtemp(join(tmpdir(), 'nfbridge-package-'))
    for (const name of ['bin', 'home', 'app']) await mkdir(join(folder, name))
    await symlink(process.execPath, join(folder, 'bin/node'))
    return new BareMachine(folder, npm)
  }

  /** The folder of the program that uses the package. */
  get app(): string {
    return join(this.folder, 'app')
  }

  /** Packs the package of `source` as it lies there, without running a script of it; gives the tarball's path. */
  async pack(source: string): Promise<string> {
    const packed = await this.#run(process.execPath, [
      this.#npm,
      'pack',
      source,
      '--ignore-scripts',
      '--silent',
      '--pack-destination',
      this.folder,
    ])
    if (packed.code !== 0) throw new Error(`npm pack of ${source} failed: ${packed.stderr}`)
    return join(this.folder, packed.stdout.trim())
  }

  /** Installs tarballs into the app, without network and without install scripts (as npm 12 and pnpm 10 do it). */
  async install(dependencies: Readonly<Record<string, string>>): Promise<Outcome> {
    const manifest = {
      name: 'app',
      private: true,
      dependencies: Object.fromEntries(
        Object.entries(dependencies).map(([name, tarball]) => [name, `file:${tarball}`]),
      ),
    }
    await writeFile(join(this.app, 'package.json'), JSON.stringify(manifest))
    return this.#run(process.execPath, [
      this.#npm,
      'install',
      '--offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ])
  }

  /** Writes a program into the app and runs it. */
  async node(file: string, program: string): Promise<Outcome> {
    await writeFile(join(this.app, file), program)
    return this.#run('node', [file])
  }

  /** Compiles files that lie in the app with the compiler of the repository, not of the app. */
  async compile(files: Readonly<Record<string, string>>): Promise<Outcome> {
    for (const [file, text] of Object.entries(files)) await writeFile(join(this.app, file), text)
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [join(repository, 'node_modules/@types')],
    }
    await writeFile(
      join(this.app, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: Object.keys(files) }),
    )
    return this.#run('node', [join(repository, 'node_modules/typescript/lib/tsc.js'), '-p', '.'])
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  #run(command: string, args: readonly string[]): Promise<Outcome> {
    return run(command, args, { cwd: this.app, env: this.#env })
  }
}

/** For what hangs: compiling the addon takes minutes on a busy machine. */
export const HANGING_MS = 1_200_000

/** Runs a command to its end, without a shell. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { ...options, timeout: HANGING_MS, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr: error === null ? stderr : `${stderr}\n${error.message}` })
      },
    )
  })
}

/** The program of npm, as a file that Node.js runs: the one that runs us, or the one on the PATH. */
async function findNpm(): Promise<string> {
  const given = process.env.npm_execpath
  if (given?.endsWith('npm-cli.js')) return given
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await realpath(join(folder, 'npm')).catch(() => undefined)
    if (found?.endsWith('npm-cli.js')) return found
    if (found) return join(dirname(found), '../lib/node_modules/npm/bin/npm-cli.js')
  }
  throw new Error('npm is not on the PATH')
}

/** Every file below a folder, as paths relative to it, sorted. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

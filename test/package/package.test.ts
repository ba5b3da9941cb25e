import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BareMachine, filesBelow, HANGING_MS, repository, run } from './tarball.js'

/** The time of the newest file below paths of the repository. */
function newest(...paths: readonly string[]): number {
  const times = paths.flatMap((path) => {
    const full = join(repository, path)
    if (!existsSync(full)) return []
    if (!statSync(full).isDirectory()) return [statSync(full).mtimeMs]
    return readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  })
  return Math.max(0, ...times)
}

let machine: BareMachine
/** Where the app has the package. */
let installed = ''

beforeAll(async () => {
  machine = await BareMachine.create()
  // What `prepack` does, after the build; the binaries not again when they are newer than their sources.
  const cleaned = await run(process.execPath, ['scripts/remove-stale.mjs'], { cwd: repository })
  expect(cleaned).toEqual({ code: 0, stdout: '', stderr: '' })
  if (newest('prebuilds') < newest('native', 'binding.gyp')) {
    const built = await run(process.execPath, ['scripts/prebuild.mjs'], { cwd: repository })
    if (built.code !== 0) throw new Error(`scripts/prebuild.mjs failed:\n${built.stdout}\n${built.stderr}`)
  }
  const outcome = await machine.install({
    nfbridge: await machine.pack(repository),
    // The one dependency, given as a tarball too: the registry is not needed.
    'node-gyp-build': await machine.pack(join(repository, 'node_modules/node-gyp-build')),
  })
  if (outcome.code !== 0) throw new Error(`npm install failed:\n${outcome.stdout}\n${outcome.stderr}`)
  installed = join(machine.app, 'node_modules/nfbridge')
}, HANGING_MS)

afterAll(() => machine?.remove())

describe('the tarball', () => {
  it('holds the program, its types, a binary for this machine, and the pages', async () => {
    const files = await filesBelow(installed)
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'docs/errors.md',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/nft/index.js',
        'dist/nft/index.d.ts',
        'dist/rtnl/index.js',
        'dist/rtnl/index.d.ts',
        'dist/conntrack/index.js',
        'dist/address/index.js',
        expect.stringMatching(new RegExp(`^prebuilds/linux-${process.arch}/[^/]+\\.node$`)),
      ]),
    )
  })

  it('holds nothing else: no sources, no build files, no tests', async () => {
    const allowed =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/[\w-]+\.md|dist\/.*\.(js|d\.ts)|prebuilds\/linux-\w+\/[^/]+\.node)$/
    const files = await filesBelow(installed)
    expect(files.filter((file) => !allowed.test(file))).toEqual([])
    // By name what would do harm: npm builds from a binding.gyp as soon as it sees one.
    for (const file of ['binding.gyp', 'native', 'src', 'test', 'lab', 'bench', 'scripts'])
      expect(existsSync(join(installed, file)), file).toBe(false)
  })

  it('holds no module whose source is gone, and none is missing', async () => {
    const modules = (await filesBelow(join(installed, 'dist'))).filter((file) => file.endsWith('.js'))
    const sources = (await filesBelow(join(repository, 'src'))).filter((file) => file.endsWith('.ts'))
    expect(modules).toEqual(sources.map((file) => file.replace(/\.ts$/, '.js')).sort())
  })

  it('has every module that it imports', async () => {
    const files = (await filesBelow(installed)).filter((file) => file.endsWith('.js'))
    for (const file of files)
      for (const [, specifier] of readFileSync(join(installed, file), 'utf8').matchAll(/ from '(\.[^']+)'/g))
        expect(existsSync(join(installed, file, '..', specifier ?? '')), `${file}: ${specifier}`).toBe(true)
  })

  it('builds the binary when it is packed, and runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
    for (const step of ['remove-stale', 'build', 'prebuild'])
      expect(scripts.prepack).toContain(`node scripts/${step}.mjs`)
    for (const script of ['preinstall', 'install', 'postinstall']) expect(scripts[script]).toBeUndefined()
  })
})

/** Listing links needs no privilege; the machine's own namespace is only read. */
const body = `
const rtnl = await Rtnl.open()
const links = await rtnl.links.list()
rtnl.close()
let code
try { await BridgeHost.open({ netns: '/nowhere' }) } catch (error) { code = error instanceof NfbridgeError && error.code }
console.log(JSON.stringify({ loopback: links.some((link) => link.name === 'lo'), code, nft: typeof Nft.open, conntrack: typeof Conntrack.open, port: parsePublication('8080:80').hostPorts.first }))
`
const seen = {
  loopback: true,
  code: 'NFB_NAMESPACE_GONE',
  nft: 'function',
  conntrack: 'function',
  port: 8080,
}

describe('a program that uses it, without a compiler', () => {
  it('runs as ESM', async () => {
    const outcome = await machine.node(
      'program.mjs',
      `import { BridgeHost, NfbridgeError } from 'nfbridge'
       import { Nft } from 'nfbridge/nft'
       import { Rtnl } from 'nfbridge/rtnl'
       import { Conntrack } from 'nfbridge/conntrack'
       import { parsePublication } from 'nfbridge/address'
       ${body}`,
    )
    expect(outcome.stderr).toBe('')
    expect(JSON.parse(outcome.stdout)).toEqual(seen)
  })

  it('runs through require', async () => {
    const outcome = await machine.node(
      'program.cjs',
      `const { BridgeHost, NfbridgeError } = require('nfbridge')
       const { Nft } = require('nfbridge/nft')
       const { Rtnl } = require('nfbridge/rtnl')
       const { Conntrack } = require('nfbridge/conntrack')
       const { parsePublication } = require('nfbridge/address')
       void (async () => { ${body} })()`,
    )
    expect(outcome.stderr).toBe('')
    expect(JSON.parse(outcome.stdout)).toEqual(seen)
  })

  it('gets the same classes by import and by require', async () => {
    const outcome = await machine.node(
      'both.cjs',
      `const required = require('nfbridge')
       void import('nfbridge').then((imported) => console.log(imported.NfbridgeError === required.NfbridgeError))`,
    )
    expect(outcome).toMatchObject({ code: 0, stdout: 'true\n' })
  })

  it('learns what is missing when there is no binary for it', async () => {
    const bare = await BareMachine.create()
    try {
      await bare.install({
        nfbridge: await bare.pack(repository),
        'node-gyp-build': await bare.pack(join(repository, 'node_modules/node-gyp-build')),
      })
      await rm(join(bare.app, 'node_modules/nfbridge/prebuilds'), { recursive: true })
      const outcome = await bare.node(
        'program.mjs',
        "import('nfbridge').then((all) => all.Rtnl?.open()).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))",
      )
      const { code, message } = JSON.parse(outcome.stdout)
      expect(code).toBe('NFB_LOAD_FAILED')
      for (const word of ['linux', process.arch, /glibc|musl/]) expect(message).toMatch(word)
    } finally {
      await bare.remove()
    }
  })
})

describe('its types', () => {
  const imports = `
    import { BridgeHost, NfbridgeError, type ErrorCode } from 'nfbridge'
    import { Nft } from 'nfbridge/nft'
    import { Rtnl } from 'nfbridge/rtnl'
    export const code: ErrorCode = 'NFB_POOL_FULL'
    export async function use(): Promise<void> {
      const host = await BridgeHost.open({ ipForward: true, firewall: true })
      const net = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
      await net.attach({ name: 'web', netns: '/run/netns/web', expose: ['80/tcp'] })
      await host.close()
      const rtnl: Rtnl = await Rtnl.open()
      const nft: Nft = await Nft.open({ netns: { pid: 1 } })
      rtnl.close()
      nft.close()
      throw new NfbridgeError({ code, operation: 'use', message: 'done' })
    }`
  // Types that have silently become \`any\` would let these pass, and the unused directive is an error.
  const mistakes = `
    import { BridgeHost } from 'nfbridge'
    // @ts-expect-error a setting that does not exist
    export const host = BridgeHost.open({ ipforward: true })
    // @ts-expect-error a promise has to be awaited
    export const net = BridgeHost.open({}).createNetwork({ name: 'n' })`

  it('resolve and hold for ESM and CommonJS consumers', async () => {
    const outcome = await machine.compile({
      'consumer.mts': imports,
      'consumer.cts': imports,
      'mistakes.mts': mistakes,
    })
    expect(outcome.stdout).toBe('')
    expect(outcome.code).toBe(0)
  })
})

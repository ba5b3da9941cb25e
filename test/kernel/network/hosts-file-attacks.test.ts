import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ContainerOptions, NfbridgeError } from '../../../src/index.js'
import { run } from '../../support/tools.js'
import { cleanUp, createSetting, expectBlocked, expectReached, failureOf, openHost } from './setting.js'

const SECRET = 'root:SECRET\n'

/** A directory of the host with a file that is nobody's business, and one that a container has: mounted, it does there what it wants. */
function directories(): { readonly secret: string; readonly mounted: string; readonly state: string } {
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['etc', 'mounted', 'mounted/etc']) mkdirSync(join(folder, name))
  const secret = join(folder, 'etc', 'hosts')
  writeFileSync(secret, SECRET, { mode: 0o600 })
  return { secret, mounted: join(folder, 'mounted'), state: join(folder, 'state') }
}

/** What a program does that trusts the path: links are followed, and the file that they lead to is replaced. */
function trustingWay(file: string): void {
  const found = realpathSync(file)
  const draft = `${found}.new`
  writeFileSync(draft, `${readFileSync(found, 'utf8')}# Begin\n`)
  renameSync(draft, found)
}

/** What a container puts in the place of its hosts file. */
const KINDS: readonly [string, (file: string, secret: string) => unknown][] = [
  ['a symbolic link to a file of the host', (file, secret) => symlinkSync(secret, file)],
  ['a hard link to a file of the host', (file, secret) => linkSync(secret, file)],
  ['a link that leads nowhere', (file) => symlinkSync('/missing/hosts', file)],
  ['a FIFO', (file) => run('mkfifo', [file])],
  ['a device', (file) => run('mknod', [file, 'c', '1', '5'])],
  ['a socket', (file) => listen(file)],
  ['a directory with something in it', (file) => mkdirSync(join(file, 'more'), { recursive: true })],
  [
    'a file of two gigabytes',
    (file) => {
      writeFileSync(file, '')
      truncateSync(file, 2 ** 31)
    },
  ],
  [
    'its directory as a symbolic link to one of the host',
    (file, secret) => {
      renameSync(dirname(file), `${dirname(file)}.away`)
      symlinkSync(dirname(secret), dirname(file))
    },
  ],
]

/** Takes a lease of a file (fcntl(2)), and ignores that the kernel asks for it back. @returns what gives it back */
async function lease(file: string): Promise<() => Promise<void>> {
  const program = join(mkdtempSync(join(tmpdir(), 'nfbridge-')), 'lease')
  cleanUp(async () => rmSync(dirname(program), { recursive: true, force: true }))
  const source = `
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <signal.h>
    #include <unistd.h>
    int main(int count, char **given) {
      signal(SIGIO, SIG_IGN);
      if (fcntl(open(given[1], O_RDONLY), F_SETLEASE, F_WRLCK) != 0) return 1;
      write(1, "has it", 6);
      pause();
    }`
  expect(await run('gcc', ['-x', 'c', '-', '-o', program], source)).toMatchObject({ code: 0 })
  const child = spawn(program, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(async () => void child.kill())
  await once(child.stdout, 'data')
  return async () => {
    const end = once(child, 'exit')
    child.kill()
    await end
  }
}

function listen(path: string): Promise<void> {
  const server = createServer()
  cleanUp(async () => void server.close())
  return new Promise((resolve) => server.listen(path, resolve))
}

describe('a container that has the directory of its hosts file', () => {
  it.each(KINDS)('and puts %s there stops no call but its own, and reaches nothing', async (_, put) => {
    const { secret, mounted, state } = directories()
    const file = join(mounted, 'etc', 'hosts')
    const { attach, bridgeHost, machine, host } = await createSetting(
      ['db', 'evil'],
      { icc: false },
      { state },
    )
    const db = await attach('db', { expose: ['80'] })
    const evil = await attach('evil', { links: ['db'], hostsFile: file })
    await machine('db').serveTcp(80)
    await expectReached(machine('evil'), db.address, 80, evil.address)
    rmSync(file)
    await put(file, secret)
    const isUnchanged = (): void => {
      expect(readFileSync(secret, 'utf8')).toBe(SECRET)
      expect(statSync(secret).mode & 0o7777).toBe(0o600)
    }
    const told = [{ code: 'hosts-file-unwritten', subject: 'evil', message: expect.stringContaining(file) }]
    await db.stop()
    await db.start()
    expect(await bridgeHost.check()).toMatchObject(told)
    isUnchanged()
    await bridgeHost.close()

    const before = performance.now()
    const again = await openHost(host, { state })
    expect(performance.now() - before).toBeLessThan(5000)
    expect(again.lost).toEqual([])
    isUnchanged()
    const link = again.container('evil')
    await expectReached(machine('evil'), again.container('db')?.address ?? '', 80, evil.address)
    await link?.unlink('db')
    await expectBlocked(machine('evil'), again.container('db')?.address ?? '', 80)
    expect(link && (await failureOf(link.link('db')))).toMatchObject({ operation: 'Container.link' })
    expect(await again.check()).toMatchObject(told)
    isUnchanged()
    await again.container('db')?.detach()
    await link?.stop()
    await link?.detach()
    expect(again.containers).toEqual([])
    isUnchanged()
    await again.destroy()
  })

  it('(control) reaches what a program reaches that trusts the path', () => {
    for (const [name, put] of KINDS.filter(([name]) => name.includes('symbolic link'))) {
      const { secret, mounted } = directories()
      const file = join(mounted, 'etc', 'hosts')
      put(file, secret)
      trustingWay(file)
      expect(readFileSync(secret, 'utf8'), name).toBe(`${SECRET}# Begin\n`)
    }
  })

  it('gets no program with the rights of root', async () => {
    const { mounted } = directories()
    const file = join(mounted, 'hosts')
    writeFileSync(file, 'of others\n')
    const { attach } = await createSetting(['db', 'evil'])
    await attach('db')
    const evil = await attach('evil', { hostsFile: file })
    chownSync(file, 12345, 12345)
    chmodSync(file, 0o6777)
    await evil.link('db')
    const { mode, uid } = lstatSync(file)
    // (control) It was written: with its own mode, and as root's, it would be one.
    expect(readFileSync(file, 'utf8')).toMatch(/^of others\n# Begin .*\n(.*\n)*.*\tdb .*\n/)
    expect([mode & 0o7777, uid]).toEqual([0o666, 12345])
  })

  it('keeps nobody waiting with a lease of it', async () => {
    const { mounted } = directories()
    const file = join(mounted, 'hosts')
    const { attach, bridgeHost } = await createSetting(['db', 'evil'], { icc: false })
    const db = await attach('db')
    await attach('evil', { links: ['db'], hostsFile: file })
    const release = await lease(file)
    const before = performance.now()
    await db.rename('sql')
    expect(await bridgeHost.check()).toMatchObject([{ code: 'hosts-file-unwritten', subject: 'evil' }])
    expect(performance.now() - before).toBeLessThan(5000)
    // (control) A program that opens it waits, by default for 45 seconds.
    expect(await run('timeout', ['1', 'cat', file])).toMatchObject({ code: 124 })
    await release()
    expect(await bridgeHost.check()).toEqual([])
    expect(readFileSync(file, 'utf8')).toMatch(/sql$/m)
  })
})

describe('no option writes a line of its own', () => {
  const line = '\n203.0.113.66 bank.example\n'
  const plain = { hostname: 'app', hostsFile: '' } as const
  /** By the option, what it is with a line in it. */
  const options: Readonly<Record<string, (text: string) => Omit<ContainerOptions, 'name' | 'netns'>>> = {
    hostname: (text) => ({ ...plain, hostname: text }),
    domainname: (text) => ({ ...plain, domainname: text }),
    'a link': (text) => ({ ...plain, links: [`web:${text}`] }),
    'an alias': (text) => ({ ...plain, aliases: [text] }),
    'the name of an added host': (text) => ({ ...plain, addHosts: [`${text}:10.0.0.1`] }),
    'the address of an added host': (text) => ({ ...plain, addHosts: [`a:${text}`] }),
  }

  /** Whether any file below has the line. */
  const hasLine = async (folder: string): Promise<boolean> =>
    (await run('grep', ['-rq', '^203.0.113.66', folder])).code === 0

  it.each(Object.entries(options))('%s', async (_, withText) => {
    const { mounted, state } = directories()
    const { attach, bridgeHost } = await createSetting(['app', 'web'], {}, { state })
    await attach('web')
    const hostsFile = join(mounted, 'etc', 'hosts')
    for (const text of [`a${line}`, `a\r${line}`, `a\u2028${line}`, `10.0.0.1${line}`]) {
      const failure = await failureOf(attach('app', { ...withText(text), hostsFile }))
      expect(failure).toMatchObject({ code: expect.stringMatching(/^NFB_INVALID/) })
    }
    await attach('app', { ...plain, hostsFile })
    expect(await failureOf(bridgeHost.createNetwork({ name: `br${line}` }))).toBeInstanceOf(NfbridgeError)
    for (const folder of [mounted, state]) expect(await hasLine(folder)).toBe(false)
    // The control: such a line would be found.
    writeFileSync(join(state, 'control'), line)
    expect(await hasLine(state)).toBe(true)
  })
})

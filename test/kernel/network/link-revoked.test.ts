/** What runs when a link goes stops at once, the server speaking or not; what another link allows goes on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import type { Namespace } from '../../../src/index.js'
import { createLinkSetting, party, type Sent, SOME_WAYS } from './link-setting.js'
import { type Ends, icmp, type Party, sctp, tcp, udp } from './packets.js'
import { cleanUp, keepSending } from './setting.js'

type Way = (typeof SOME_WAYS)[number]

const PORT = 80
const CLIENT_PORT = 5555

/** Writes down what the other end says while it goes on speaking itself. */
const SPEAK = `
def speak(s):
    s.settimeout(0.01)
    while True:
        try:
            s.send(b'x')
            print('said', flush=True)
        except OSError:
            pass
        try:
            if s.recv(100):
                print('heard', flush=True)
        except OSError:
            pass
`
const SERVER = `
import socket, sys
${SPEAK}
tcp = sys.argv[1] == 'tcp'
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
s.bind(('::', ${PORT}))
if tcp:
    s.listen()
print('ready', flush=True)
if tcp:
    s, _ = s.accept()
else:
    _, peer = s.recvfrom(100)
    s.connect(peer)
speak(s)`
const CLIENT = `
import socket, sys
${SPEAK}
tcp = sys.argv[1] == 'tcp'
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[2] else socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
s.connect((sys.argv[2], ${PORT}))
speak(s)`

/** A program that speaks; `words` are what it wrote. */
function start(namespace: Namespace, program: string, ...args: string[]) {
  const child: ChildProcess = spawn('nsenter', [
    `--net=${namespace.path()}`,
    'python3',
    '-c',
    program,
    ...args,
  ])
  const counts: Record<string, number> = {}
  child.stdout?.on('data', (data: Buffer) => {
    for (const word of data.toString().split('\n')) counts[word] = (counts[word] ?? 0) + 1
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  cleanUp(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return (word: string): number => counts[word] ?? 0
}

async function linked({ family, sysctl }: Way) {
  const setting = await createLinkSetting(['web', 'app', 'top'], { sysctl })
  const expose = ['tcp', 'udp', 'sctp'].map((transport) => `${PORT}/${transport}`)
  const web = party(await setting.attach('web', { expose: [...expose, '53/udp'] }), family)
  const app = party(await setting.attach('app', { links: ['web'] }), family)
  const top = party(await setting.attach('top', { links: ['web'] }), family)
  return { ...setting, web, app, top }
}

describe.each(SOME_WAYS)('IPv$family, bridge-nf-call $sysctl: a link that goes', (way) => {
  it.each(['tcp', 'udp'])(
    'stops what both ends go on saying, and the other link loses nothing: %s',
    async (transport) => {
      const { machine, web, bridgeHost } = await linked(way)
      await machine('web').serveUdp(53, { address: '::' })
      const server = start(machine('web').namespace, SERVER, transport)
      await expect.poll(() => server('ready')).toBe(1)
      const client = start(machine('app').namespace, CLIENT, transport, web.address)
      for (const end of [server, client]) await expect.poll(() => end('heard')).toBeGreaterThan(5)
      const other = keepSending(await machine('top').holdUdp(web.address, 53))
      await bridgeHost.container('app')?.unlink('web')
      // What was on its way is there when nothing more comes, while both go on.
      const quiet = async (): Promise<boolean> => {
        const before = [server('heard'), client('heard')]
        const said = [server('said'), client('said')]
        await expect.poll(() => server('said') - (said[0] ?? 0)).toBeGreaterThan(20)
        await expect.poll(() => client('said') - (said[1] ?? 0)).toBeGreaterThan(20)
        return before[0] === server('heard') && before[1] === client('heard')
      }
      await expect.poll(quiet).toBe(true)
      for (let round = 0; round < 3; round += 1) expect(await quiet()).toBe(true)
      expect(await other()).toEqual({ lost: 0 })
    },
  )

  it('stops each packet by its element alone, in both directions, at once', async () => {
    const { arrive, web, app, top, bridgeHost } = await linked(way)
    const error = way.family === 4 ? { type: 3, code: 3 } : { type: 1, code: 4 }
    const questions = (client: Party): Record<string, Sent> => {
      const ends: Ends = { from: client, sourcePort: CLIENT_PORT, to: web, destinationPort: PORT }
      return {
        SYN: tcp(ends, ['syn']),
        ACK: tcp(ends, ['ack'], 'data'),
        datagram: udp(ends, 'question'),
        INIT: sctp(ends, ['init']),
        DATA: sctp(ends, ['data']),
      }
    }
    const answers = (client: Party): Record<string, Sent> => {
      const ends: Ends = { from: web, sourcePort: PORT, to: client, destinationPort: CLIENT_PORT }
      const back: Ends = { from: client, sourcePort: CLIENT_PORT, to: web, destinationPort: PORT }
      return {
        'SYN, ACK': tcp(ends, ['syn', 'ack']),
        ACK: tcp(ends, ['ack'], 'data'),
        RST: tcp(ends, ['rst']),
        datagram: udp(ends, 'answer'),
        DATA: sctp(ends, ['data']),
        error: icmp(web, client, error, udp(back, 'question').bytes),
      }
    }
    const all = [Object.keys(questions(app)), Object.keys(answers(app))]
    const both = async (name: string, client: Party) => [
      await arrive(name, 'web', questions(client)),
      await arrive('web', name, answers(client)),
    ]
    expect(await both('app', app)).toEqual(all)
    expect(await both('top', top)).toEqual(all)
    await bridgeHost.container('app')?.unlink('web')
    expect(await both('app', app)).toEqual([[], []])
    expect(await both('top', top)).toEqual(all)
    await bridgeHost.container('app')?.link('web')
    expect(await both('app', app)).toEqual(all)
  })

  it('goes with its client or server: who gets their address inherits nothing', async () => {
    for (const gone of ['web', 'app'] as const) {
      const { arrive, attach, web, app, top, machine, bridgeHost } = await linked(way)
      const question: Ends = { from: app, sourcePort: CLIENT_PORT, to: web, destinationPort: PORT }
      const answer: Ends = { from: web, sourcePort: PORT, to: app, destinationPort: CLIENT_PORT }
      expect(await arrive('app', 'web', { question: udp(question, 'question') })).toEqual(['question'])
      const address = bridgeHost.container(gone)?.address
      const address6 = bridgeHost.container(gone)?.ipv6Address
      if (address === undefined || address6 === undefined) throw new Error('addresses')
      await bridgeHost.container(gone)?.detach()
      const heir = party(await attach(gone, { address, ipv6Address: address6 }), way.family)
      expect(heir.address).toBe({ web, app }[gone].address)
      const client = gone === 'app' ? heir : app
      const server = gone === 'web' ? heir : web
      const asked = { question: udp({ ...question, from: client, to: server }, 'question') }
      const answers = {
        datagram: udp({ ...answer, from: server, to: client }, 'answer'),
        ACK: tcp({ ...answer, from: server, to: client }, ['ack'], 'data'),
        DATA: sctp({ ...answer, from: server, to: client }, ['data']),
      }
      expect(await arrive('app', 'web', asked)).toEqual([])
      expect(await arrive('web', 'app', answers)).toEqual([])
      if (gone === 'app') {
        await machine('web').serveTcp(PORT, { address: '::' })
        expect((await machine('top').probeTcp(web.address, PORT)).outcome).toBe('reached')
        expect((await machine('app').probeTcp(web.address, PORT, { timeoutMs: SILENCE_MS })).outcome).toBe(
          'timeout',
        )
      } else
        expect(
          await arrive('top', 'web', { SYN: tcp({ ...question, from: top, to: heir }, ['syn']) }),
        ).toEqual([])
    }
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { PATIENCE_MS } from '../../../lab/machine.js'
import type { BridgeHost, Namespace } from '../../../src/index.js'
import { cleanUp, createSetting } from './setting.js'

/** Speaks, and answers the question that came over UDP, when it is told to; `stray` is for a port that has not asked. */
const SERVER = `
import socket, sys
listener = socket.create_server(('0.0.0.0', 80))
questions = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
questions.bind(('0.0.0.0', 53))
print('listening')
connection, _ = listener.accept()
_, asker = questions.recvfrom(100)
print('asked')
for line in sys.stdin:
    word = line.strip()
    if word == 'speak': connection.send(b'spoken ')
    if word == 'answer':
        questions.sendto(b'stray ', (asker[0], asker[1] + 1))
        questions.sendto(b'answer ', asker)`

/** Connects and asks, and then says nothing; tells what it hears. */
const CLIENT = `
import select, socket
stray, asker = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
asker.bind(('0.0.0.0', 5000))
stray.bind(('0.0.0.0', 5001))
connection = socket.create_connection(('172.17.0.2', 80), 5)
asker.sendto(b'question', ('172.17.0.2', 53))
while True:
    for ready in select.select([connection, asker, stray], [], [])[0]:
        print(ready.recv(100).decode(), flush=True)`

interface Program {
  readonly words: string[]
  say(word: string): void
}

function start(namespace: Namespace, program: string): Program {
  const child: ChildProcess = spawn('nsenter', [`--net=${namespace.path()}`, 'python3', '-u', '-c', program])
  const words: string[] = []
  child.stdout?.on('data', (data: Buffer) => words.push(...(data.toString().match(/\w+/g) ?? [])))
  const ended = once(child, 'exit')
  cleanUp(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { words, say: (word) => child.stdin?.write(`${word}\n`) }
}

const heard = ({ words }: Program, word: string): Promise<void> =>
  expect.poll(() => words, { timeout: PATIENCE_MS }).toContain(word)

type Change = (host: BridgeHost) => Promise<void>
const ruleComes: Change = ({ userRules }) => userRules.forward.append([{ counter: null }])
const ruleGoes: Change = ({ userRules }) => userRules.forward.flush()
const tracked: Change = async (host) => host.network('docker0')?.update({ tracking: true })
const untracked: Change = async (host) => host.network('docker0')?.update({ tracking: false })
const nothing: Change = async () => undefined

const SWITCHES: readonly (readonly [string, Change, Change])[] = [
  ['a rule of the users comes', nothing, ruleComes],
  ['a rule of the users goes', ruleComes, ruleGoes],
  ['tracking is turned on', nothing, tracked],
  ['tracking is turned off', tracked, untracked],
]

// No connection hangs on who judged when it began: neither who speaks first afterwards, nor what was asked before.
it.each(SWITCHES)('%s: connections within a network go on', async (_, before, change) => {
  const { attach, machine, bridgeHost } = await createSetting(
    ['web', 'app'],
    { icc: false },
    { bridgeNetfilter: 'off' },
  )
  await attach('web', { expose: ['80', '53/udp'] })
  await attach('app', { links: ['web'] })
  await before(bridgeHost)
  const server = start(machine('web').namespace, SERVER)
  await heard(server, 'listening')
  const client = start(machine('app').namespace, CLIENT)
  await heard(server, 'asked')
  await change(bridgeHost)
  server.say('speak')
  await heard(client, 'spoken')
  server.say('answer')
  await heard(client, 'answer')
  expect(client.words).toEqual(['spoken', 'answer'])
})

/** Questions over UDP that a server answers when it is told to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'
import { type Machine, PATIENCE_MS } from '../../../lab/machine.js'
import { cleanUp } from '../../support/clean-up.js'

/** The server's port. */
export const ASKED_PORT = 54

/** A line is written at once: two threads may write. */
const SERVER = `
import socket, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', ${ASKED_PORT}))
sys.stdout.write('ready\\n')
client = None
def answer():
    for line in sys.stdin: s.sendto(b'answer', (client, int(line)))
threading.Thread(target=answer, daemon=True).start()
while True:
    _, (client, port) = s.recvfrom(100)
    sys.stdout.write(f'asked{port}\\n')`

const CLIENT = `
import socket, sys, threading
def hear(port, s):
    while True:
        s.recv(100)
        sys.stdout.write(f'heard{port}\\n')
sys.stdout.write('ready\\n')
for line in sys.stdin:
    server, port, asks = line.split()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('0.0.0.0', int(port)))
    threading.Thread(target=hear, args=(int(port), s), daemon=True).start()
    if asks == 'yes': s.sendto(b'question', (server, ${ASKED_PORT}))
    else: sys.stdout.write(f'listens{port}\\n')`

export interface PendingQuestions {
  /** Sends one from a port of the client; done when it has come to the server. */
  ask(port: number): Promise<void>
  /** Opens a port of the client that asks nothing. */
  listen(port: number): Promise<void>
  /** Sends a datagram from the server's port to one of the client's. */
  answer(port: number): void
  /** The ports of the client that have heard something. */
  readonly heard: readonly number[]
}

export async function pendingQuestions(
  server: Machine,
  client: Machine,
  address: string,
): Promise<PendingQuestions> {
  const [answering, asking] = [await start(server, SERVER), await start(client, CLIENT)]
  return {
    ask: async (port) => {
      asking.say(`${address} ${port} yes`)
      await said(answering, `asked${port}`)
    },
    listen: async (port) => {
      asking.say(`${address} ${port} no`)
      await said(asking, `listens${port}`)
    },
    answer: (port) => answering.say(`${port}`),
    get heard() {
      return asking.words.flatMap((word) => (word.startsWith('heard') ? [Number(word.slice(5))] : []))
    },
  }
}

interface Program {
  readonly words: string[]
  say(line: string): void
}

async function start({ namespace }: Machine, code: string): Promise<Program> {
  const command = [`--net=${namespace.path()}`, 'python3', '-u', '-c', code]
  const child: ChildProcess = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'inherit'] })
  const words: string[] = []
  child.stdout?.on('data', (data: Buffer) => words.push(...(data.toString().match(/\w+/g) ?? [])))
  const ended = once(child, 'exit')
  cleanUp(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const program = { words, say: (line: string) => void child.stdin?.write(`${line}\n`) }
  await said(program, 'ready')
  return program
}

const said = ({ words }: Program, word: string): Promise<void> =>
  expect.poll(() => words, { timeout: PATIENCE_MS }).toContain(word)

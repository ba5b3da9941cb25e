import { type ChildProcess, spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Namespace } from '../../../src/index.js'
import { runIn } from '../../support/tools.js'
import { cleanUp, createSetting } from './setting.js'

const SERVER = `
import socket, time
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('0.0.0.0', 80))
listener.listen()
print('listening')
connection, _ = listener.accept()
for _ in range(3000):
    connection.send(b'x')
    time.sleep(0.1)`

const CLIENT = `
import socket
connection = socket.create_connection(('203.0.113.1', 80), 5)
while connection.recv(100):
    print('x')`

function start(
  namespace: Namespace,
  program: string,
): { readonly child: ChildProcess; readonly words: string[] } {
  const child = spawn('nsenter', [`--net=${namespace.path()}`, 'python3', '-u', '-c', program])
  const words: string[] = []
  child.stdout.on('data', (data: Buffer) => words.push(...data.toString().trim().split('\n')))
  const ended = new Promise((resolve) => child.on('exit', resolve))
  cleanUp(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, words }
}

// Its connection forgotten, the server's next packet would begin a new one outward, masqueraded to the very address and port.
it.each(['unpublish', 'a user rule'])('a server that goes on speaking stops as well: %s', async (how) => {
  const { attach, machine, outside, bridgeHost } = await createSetting(['web'])
  const web = await attach('web', { publish: ['80:80'] })
  const server = start(machine('web').namespace, SERVER)
  await expect.poll(() => server.words).toContain('listening')
  const client = start(outside.namespace, CLIENT)
  await expect.poll(() => client.words.length).toBeGreaterThan(3)
  if (how === 'unpublish') await web.unpublish('80:80')
  else await bridgeHost.userRules.inbound.insert(0, [{ drop: null }])
  // Nobody acknowledges what the server says: its kernel repeats it, and again.
  const repeats = async (): Promise<number> =>
    Number(
      /backoff:(\d+)/.exec(await runIn(machine('web').namespace, 'ss', ['-Htin', 'sport = :80']))?.[1] ?? 0,
    )
  await expect.poll(repeats).toBeGreaterThan(0)
  const heard = client.words.length
  await expect.poll(repeats).toBeGreaterThan(2)
  expect(client.words.length).toBe(heard)
})

/** A tiny FTP server and client, in the namespaces of test machines: by python3, whose ftplib is the client. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Namespace } from '../../src/netns/index.js'
import { runIn } from './tools.js'

/** RETR sends the address that the data connection came from, or went to. Passive connections are taken on the port given, if any. */
const SERVER = `
import ipaddress, socket, sys, threading
port, passive = int(sys.argv[1]), int(sys.argv[2])

def plain(address): return str(ipaddress.ip_address(address.replace('::ffff:', '')))

def serve(control):
    file = control.makefile('rw', newline='\\r\\n')
    def say(text):
        file.write(text + '\\n')
        file.flush()
    say('220 ready')
    listener = target = None
    for line in file:
        word, _, rest = line.strip().partition(' ')
        word = word.upper()
        if word in ('PASV', 'EPSV'):
            own = plain(control.getsockname()[0])
            family = socket.AF_INET6 if ':' in own else socket.AF_INET
            listener = socket.create_server((own, passive), family=family)
            number = listener.getsockname()[1]
            if word == 'EPSV': say(f'229 entered (|||{number}|)')
            else: say(f'227 entered ({own.replace(".", ",")},{number >> 8},{number & 255})')
        elif word == 'PORT':
            numbers = rest.split(',')
            target = ('.'.join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5]))
            say('200 ok')
        elif word == 'EPRT':
            _, _, address, number, _ = rest.split(rest[0])
            target = (address, int(number))
            say('200 ok')
        elif word == 'RETR':
            say('150 opening')
            try:
                if listener: data, peer = listener.accept()
                else: data, peer = socket.create_connection(target, timeout=float(rest or 60)), target
                data.sendall((plain(peer[0]) + '\\r\\n').encode())
                data.close()
                say('226 done')
            except OSError as error: say(f'425 {error}')
        elif word == 'QUIT':
            say('221 bye')
            return control.close()
        else: say('230 ok')

server = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True)
print('ready', flush=True)
while True: threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
`

/** Asks for a file, and prints what it holds, or why it did not come. */
const CLIENT = `
import ftplib, sys
host, port, mode, source, timeout, bounce = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5]), sys.argv[6]
ftp = ftplib.FTP(timeout=timeout, source_address=(source, 0) if source else None)
lines = []
try:
    ftp.connect(host, port)
    ftp.login()
    if bounce:
        ftp.sendcmd('PORT ' + bounce)
        ftp.sendcmd('RETR 0.5')
        ftp.voidresp()
        lines = ['sent']
    else:
        ftp.set_pasv(mode == 'passive')
        ftp.retrlines('RETR 60', lines.append)
    print(lines[0])
except (OSError, EOFError, ftplib.Error) as error: print(f'failed: {error}')
`

export interface FtpServer {
  close(): Promise<void>
}

export async function serveFtp(namespace: Namespace, port: number, passivePort = 0): Promise<FtpServer> {
  const args = [`--net=${namespace.path()}`, '--', 'python3', '-c', SERVER, String(port), String(passivePort)]
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  return {
    close: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}

export interface FtpOptions {
  readonly mode?: 'passive' | 'active'
  /** The address that the client has. */
  readonly source?: string
  /** Seconds that a reply may take. */
  readonly timeout?: number
  /** A third party that the server is told to send to, as PORT has it: `172,17,0,4,0,80`. */
  readonly bounce?: string
}

/** Fetches a file. @returns the address of the data connection's other end, as the server sees it, or `failed: …` */
export async function fetchFtp(
  namespace: Namespace,
  host: string,
  port: number,
  { mode = 'passive', source = '', timeout = 60, bounce = '' }: FtpOptions = {},
): Promise<string> {
  const args = ['-c', CLIENT, host, String(port), mode, source, String(timeout), bounce]
  return (await runIn(namespace, 'python3', args)).trim()
}

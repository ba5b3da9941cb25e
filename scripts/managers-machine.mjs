// The first process of the namespaces that `npm run managers` makes: gives them a /run and a /sys of their own and mounts what
// the daemons see, the unpacked packages with a writable layer, then runs the command. All mounts end with the namespace.
// node scripts/managers-machine.mjs FOLDER COMMAND [ARGUMENT…]
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [packages, command, ...args] = process.argv.slice(2)
const layers = join(dirname(packages), 'layers')
const root = join(layers, 'root')
const mount = (...words) => execFileSync('mount', words)

/** Users that the packages would make when they are installed. */
const users = { root: 0, messagebus: 101, polkitd: 103, 'systemd-network': 998 }
/** Groups that udev's rules name. */
const groups = [
  'tty',
  'disk',
  'kmem',
  'dialout',
  'audio',
  'video',
  'input',
  'kvm',
  'render',
  'sgx',
  'tape',
  'cdrom',
  'lp',
]

mount('-t', 'sysfs', 'sysfs', '/sys')
mount('-t', 'tmpfs', 'tmpfs', '/run')
mkdirSync(layers, { recursive: true })
mount('-t', 'tmpfs', 'tmpfs', layers)
chmodSync(layers, 0o755)
for (const name of ['upper', 'work', 'root']) mkdirSync(join(layers, name))
const overlay = `lowerdir=${packages},upperdir=${join(layers, 'upper')},workdir=${join(layers, 'work')}`
mount('-t', 'overlay', 'overlay', '-o', overlay, root)
for (const name of ['run', 'proc', 'sys', 'dev', 'etc', 'var', 'tmp'])
  mkdirSync(join(root, name), { recursive: true })
for (const name of ['run', 'proc', 'sys']) mount('--rbind', `/${name}`, join(root, name))
mount('-t', 'tmpfs', 'tmpfs', join(root, 'dev'))
for (const name of ['null', 'zero', 'random', 'urandom']) {
  writeFileSync(join(root, 'dev', name), '')
  mount('--bind', `/dev/${name}`, join(root, 'dev', name))
}

const ids = Object.entries(users)
writeFileSync(
  join(root, 'etc/passwd'),
  ids.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`).join(''),
)
writeFileSync(
  join(root, 'etc/group'),
  [...ids, ...groups.map((name, index) => [name, 200 + index])]
    .map(([name, id]) => `${name}:x:${id}:\n`)
    .join(''),
)
// MACAddressPolicy=persistent is made of it.
writeFileSync(join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n')
rmSync(join(root, 'var/run'), { recursive: true, force: true })
symlinkSync('/run', join(root, 'var/run'))
for (const name of [
  'run/dbus',
  'run/udev',
  'run/lock',
  'run/NetworkManager',
  'var/lib/NetworkManager',
  'tmp',
])
  mkdirSync(join(root, name), { recursive: true })
// systemd makes them when it starts systemd-networkd.
for (const name of ['', '/links', '/leases', '/lldp']) {
  mkdirSync(`/run/systemd/netif${name}`, { recursive: true })
  chownSync(`/run/systemd/netif${name}`, users['systemd-network'], users['systemd-network'])
}
execFileSync('unshare', [`--root=${root}`, '/sbin/ldconfig'])
execFileSync('ip', ['link', 'set', 'lo', 'up'])

const { status } = spawnSync(command, args, {
  stdio: 'inherit',
  env: { ...process.env, NFB_MANAGERS_ROOT: root },
})
process.exitCode = status ?? 1

/**
 * The options of one network in all their combinations, in both families: gateway mode, icc, direct access, masquerading. What holds is
 * put together from what each option says alone.
 */
import type { GatewayMode } from 'nfbridge'
import type { Group, Scenario } from '../scenario.js'
import { noLoopback6 } from './rows.js'

type Mode = Exclude<GatewayMode, 'isolated'>
/** Whom direct access to published ports is allowed to. */
type Direct = 'nobody' | 'side' | 'all'

interface Combination {
  readonly mode: Mode
  readonly icc: boolean
  readonly direct: Direct
  readonly masquerade: boolean
}

const all: Combination[] = (['nat', 'nat-unprotected', 'routed'] as const).flatMap((mode) =>
  [true, false].flatMap((icc) =>
    (['nobody', 'side', 'all'] as const).flatMap((direct) =>
      [true, false].map((masquerade) => ({ mode, icc, direct, masquerade })),
    ),
  ),
)

/** `web` publishes 80 as 8080 and exposes 81; `app` is linked to it. */
function scenarioOf({ mode, icc, direct, masquerade }: Combination): Scenario {
  const words = [`icc-${icc ? 'on' : 'off'}`, `direct-${direct}`, masquerade ? 'masquerade' : 'own-address']
  const translated = mode !== 'routed' && masquerade
  return {
    name: `combination-${mode}-${words.join('-')}`,
    about: `Gateway mode ${mode}, icc ${icc ? 'on' : 'off'}, published ports directly for ${direct}, masquerading ${masquerade ? 'on' : 'off'}.`,
    side: true,
    networks: [
      {
        name: 'docker0',
        ipv6: true,
        pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
        gatewayMode: mode,
        icc,
        masquerade,
        ...(direct === 'side' && { trustedInterfaces: ['side'] }),
        ...(direct === 'all' && { allowDirectRouting: true }),
      },
    ],
    containers: { web: { publish: ['8080:80'], expose: ['81/tcp'] }, app: { links: ['web:db'] } },
    hostPorts: ['8080/tcp'],
    stages: [
      {
        expect: `
          ${publishedRows(mode)}
          ${iccRows(icc)}
          host -> containers: reached
          ${directRows(mode, direct)}
          containers -> outside, side: reached${translated ? ' as host' : ''}
          host -> outside, side: reached
          * -> host: reached
        `,
      },
    ],
  }
}

function publishedRows(mode: Mode): string {
  if (mode === 'routed') return '* -> host 8080/tcp: refused'
  return `
    ${noLoopback6}
    web, app -> host 8080/tcp: reached web as host@docker0
    * -> host 8080/tcp: reached web
  `
}

function iccRows(icc: boolean): string {
  if (icc) return 'containers -> containers: reached'
  return `
    app -> web 80/tcp, 81/tcp: reached
    containers -> containers: blocked
  `
}

function directRows(mode: Mode, direct: Direct): string {
  if (mode === 'nat-unprotected') return 'outside, side -> containers: reached'
  const opened = {
    nobody: '',
    side: 'side -> web 80/tcp: reached',
    all: 'outside, side -> web 80/tcp: reached',
  }
  const routed = `
    outside, side -> web 80/tcp: reached
    outside, side -> containers icmp: reached
  `
  return `
    ${mode === 'routed' ? routed : opened[direct]}
    outside, side -> containers: blocked
  `
}

export const combinations: Group = { name: 'combinations', scenarios: all.map(scenarioOf) }

import { randomInt } from 'node:crypto'

/** For containers that are given no name: short, of good repute, and different in their first letters. */
const ADJECTIVES = (
  'able agile ample bold brave brisk calm candid civil clear clever crisp daring deft eager early fair fast fine fond ' +
  'frank free fresh gentle glad grand happy hardy honest humble keen kind lively loyal lucid lucky mellow merry mild modest ' +
  'neat nimble noble patient placid polite proud quick quiet rapid ready robust serene sharp silent sincere smart sober ' +
  'steady sunny swift tidy tough vivid warm wise witty young'
).split(' ')

/** People to whom computing, networks or mathematics owe something. */
const SURNAMES = (
  'abel ada babbage baran bell boole borg cantor cerf church clarke codd cray curie dijkstra easley engelbart erdos euler ' +
  'fermat floyd galois gauss germain godel goldwasser hamilton hamming hilbert hoare holberton hopper huffman jacobi johnson ' +
  'kahn kepler kleene knuth lamarr lamport leibniz liskov lovelace mccarthy metcalfe milner minsky moore naur neumann newton ' +
  'noether pascal perlman pike postel ramanujan ritchie rivest shamir shannon stallman tarjan thompson turing wiener wilkes wirth'
).split(' ')

/** After as many failures a digit more is appended: names go out slowly, and a search must not. */
const TRIES = 4

/**
 * An adjective and a surname, `brave_lovelace`, that nobody has; with digits when those are used up.
 * @param isTaken whether a name is in use
 * @param random a whole number from 0 up to, and without, its argument
 */
export function automaticName(
  isTaken: (name: string) => boolean,
  random: (below: number) => number = randomInt,
): string {
  for (let attempt = 0; ; attempt += 1) {
    const words = `${ADJECTIVES[random(ADJECTIVES.length)]}_${SURNAMES[random(SURNAMES.length)]}`
    const digits = Math.floor(attempt / TRIES)
    const name = digits === 0 ? words : `${words}${random(10 ** Math.min(digits, 14))}`
    if (!isTaken(name)) return name
  }
}

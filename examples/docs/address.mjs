import { Cidr, MacAddress, parseAddress, parseExpose, parsePublication } from 'nfbridge/address'

const subnet = Cidr.parse('172.17.0.0/16')
const address = parseAddress('172.17.0.2')
console.log(subnet.contains(address), `${subnet.firstHost}`, subnet.size) // → true 172.17.0.1 65536n
console.log(`${MacAddress.fromIPv4(address)}`, `${MacAddress.fromIPv4(address).linkLocal}`) // → 02:42:ac:11:00:02 fe80::42:acff:fe11:2
console.log(JSON.stringify({ address, subnet, port: parseExpose('8000-8010/udp') })) // → {"address":"172.17.0.2","subnet":"172.17.0.0/16","port":"8000-8010/udp"}

const { hostAddress, hostPorts, containerPorts } = parsePublication('127.0.0.1:8080:80')
console.log(`${hostAddress}`, hostPorts?.first, containerPorts.first) // → 127.0.0.1 8080 80
try {
  Cidr.parse('172.17.0.5/16', 'subnet')
} catch (error) {
  console.log(error.code, error.path, error.reason) // → NFB_INVALID_ADDRESS subnet "172.17.0.5/16" is no network, it has host bits set: did you mean 172.17.0.0/16?
}

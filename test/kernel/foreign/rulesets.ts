/** Rulesets as other programs leave them on a host, for `iptables-restore -c` and `ip6tables-restore -c`. */

/** Docker Engine 20.10 with a published port, a link, and a second network. */
const docker = `*filter
:INPUT ACCEPT [10:1000]
:FORWARD DROP [3:180]
:OUTPUT ACCEPT [7:700]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
[12:900] -A FORWARD -j DOCKER-USER
[12:900] -A FORWARD -j DOCKER-ISOLATION-STAGE-1
[5:400] -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A FORWARD -o docker0 -j DOCKER
[4:300] -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
[0:0] -A FORWARD -i docker0 -o docker0 -j DROP
[0:0] -A FORWARD -o br-5ad6e1ff2b3c -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A FORWARD -o br-5ad6e1ff2b3c -j DOCKER
[0:0] -A FORWARD -i br-5ad6e1ff2b3c ! -o br-5ad6e1ff2b3c -j ACCEPT
[0:0] -A FORWARD -i br-5ad6e1ff2b3c -o br-5ad6e1ff2b3c -j ACCEPT
[0:0] -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
[0:0] -A DOCKER -s 172.17.0.3/32 -d 172.17.0.2/32 -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
[0:0] -A DOCKER -s 172.17.0.2/32 -d 172.17.0.3/32 -i docker0 -o docker0 -p tcp -m tcp --sport 80 -j ACCEPT
[0:0] -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
[0:0] -A DOCKER-ISOLATION-STAGE-1 -i br-5ad6e1ff2b3c ! -o br-5ad6e1ff2b3c -j DOCKER-ISOLATION-STAGE-2
[12:900] -A DOCKER-ISOLATION-STAGE-1 -j RETURN
[0:0] -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
[0:0] -A DOCKER-ISOLATION-STAGE-2 -o br-5ad6e1ff2b3c -j DROP
[0:0] -A DOCKER-ISOLATION-STAGE-2 -j RETURN
[12:900] -A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [1:60]
:INPUT ACCEPT [1:60]
:OUTPUT ACCEPT [2:120]
:POSTROUTING ACCEPT [2:120]
:DOCKER - [0:0]
[1:60] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
[0:0] -A POSTROUTING -s 172.18.0.0/16 ! -o br-5ad6e1ff2b3c -j MASQUERADE
[0:0] -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
[0:0] -A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE
[0:0] -A DOCKER -i docker0 -j RETURN
[0:0] -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
`

/** The chains and the shapes of rules of ufw, with logging, a limit and two routes allowed. */
const ufw = `*filter
:INPUT DROP [2:120]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-logging-forward - [0:0]
:ufw-before-input - [0:0]
:ufw-before-forward - [0:0]
:ufw-after-logging-input - [0:0]
:ufw-logging-deny - [0:0]
:ufw-not-local - [0:0]
:ufw-skip-to-policy-input - [0:0]
:ufw-track-output - [0:0]
:ufw-user-input - [0:0]
:ufw-user-forward - [0:0]
:ufw-user-limit - [0:0]
:ufw-user-limit-accept - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-after-logging-input
-A FORWARD -j ufw-before-logging-forward
-A FORWARD -j ufw-before-forward
-A OUTPUT -j ufw-track-output
-A ufw-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j ufw-logging-deny
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-before-input -p icmp -m icmp --icmp-type 3 -j ACCEPT
-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
-A ufw-before-input -j ufw-not-local
-A ufw-before-input -d 224.0.0.251/32 -p udp -m udp --dport 5353 -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 11 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
-A ufw-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
-A ufw-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN
-A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-logging-deny
-A ufw-not-local -j DROP
-A ufw-skip-to-policy-input -j DROP
-A ufw-track-output -p tcp -m conntrack --ctstate NEW -j ACCEPT
-A ufw-track-output -p udp -m conntrack --ctstate NEW -j ACCEPT
-A ufw-user-forward -i docker0 -j ACCEPT
-A ufw-user-forward -o docker0 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j ufw-user-limit
-A ufw-user-input -p tcp -m tcp --dport 22 -j ufw-user-limit-accept
-A ufw-user-input -p tcp -m multiport --dports 80,443 -m comment --comment "'dapp_Nginx%20Full'" -j ACCEPT
-A ufw-user-limit -m limit --limit 3/min -j LOG --log-prefix "[UFW LIMIT BLOCK] "
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
-A ufw-user-limit-accept -j ACCEPT
COMMIT
`

/** A rule of each extension, understood here or not. */
const extensions = `*filter
-A INPUT -p tcp -m multiport --dports 80,443,1000:2000 -m comment --comment "hello there" -j ACCEPT
-A INPUT -p udp -m multiport ! --sports 53,67 -j DROP
-A INPUT -m mark --mark 0x1/0xff -j ACCEPT
-A INPUT -m addrtype ! --src-type LOCAL --limit-iface-in -j DROP
-A INPUT -p tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1:500 -j DROP
-A INPUT -p tcp --syn -j REJECT --reject-with tcp-reset
-A INPUT -s 10.0.0.0/8 -m state --state NEW -j ACCEPT
-A INPUT -m conntrack ! --ctstate INVALID,DNAT --ctorigdst 1.2.3.4 --ctreplsrc 10.0.0.0/8 -j ACCEPT
-A INPUT -m conntrack --ctproto 6 --ctorigdstport 80:90 --ctstatus SEEN_REPLY,ASSURED --ctdir REPLY -j ACCEPT
-A INPUT -m conntrack --ctexpire 5:9 -j ACCEPT
-A INPUT -m pkttype ! --pkt-type broadcast -j ACCEPT
-A INPUT -p udp --sport 67:68 ! --dport 68 -j ACCEPT
-A INPUT ! -p tcp -i eth+ -m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT
-A INPUT -m mac ! --mac-source 02:42:ac:11:00:02 -j ACCEPT
-A INPUT -f -j DROP
-A INPUT -p sctp --dport 80 -j ACCEPT
-A INPUT -m ttl --ttl-eq 255 -j ACCEPT
-A INPUT -j NFLOG --nflog-group 2
-A INPUT -m hashlimit --hashlimit-name h --hashlimit-above 5/sec -j DROP
-A INPUT -p tcp -m connlimit --connlimit-above 3 -j DROP
-A INPUT -m string --string abc --algo bm -j DROP
-A INPUT -m statistic --mode random --probability 0.5 -j DROP
-A INPUT -m length --length 10:20 -j DROP
-A OUTPUT -m owner --uid-owner 1000 -j ACCEPT
-A FORWARD -j REJECT --reject-with icmp-admin-prohibited
COMMIT
*nat
-A POSTROUTING -s 172.17.0.0/16 -p tcp -j MASQUERADE --to-ports 1000-2000 --random
-A POSTROUTING -s 10.0.0.1 -p tcp -j SNAT --to-source 1.2.3.4-1.2.3.6:5-9 --persistent
-A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 8080
-A PREROUTING -d 1.1.1.0/24 -j NETMAP --to 2.2.2.0/24
COMMIT
*mangle
-A PREROUTING -j MARK --set-xmark 0x10/0xf0
-A PREROUTING -j CONNMARK --save-mark
-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
-A PREROUTING -m connmark --mark 5 -j ACCEPT
-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A PREROUTING -j TOS --set-tos 0x10
-A PREROUTING -j DSCP --set-dscp 10
COMMIT
*raw
-A PREROUTING -p udp --dport 53 -j CT --notrack
-A PREROUTING -i eth1 -j CT --zone 5
-A PREROUTING -j TRACE
COMMIT
`

const extensions6 = `*filter
-A INPUT -p icmpv6 --icmpv6-type 135 -j ACCEPT
-A INPUT -p icmpv6 --icmpv6-type 1/4 -j ACCEPT
-A INPUT -s fe80::/10 -m conntrack --ctstate NEW --ctorigsrc fd00::/8 -j ACCEPT
-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT
-A INPUT -m iprange --src-range fd00::1-fd00::9 -j ACCEPT
-A INPUT -m hl --hl-eq 255 -j ACCEPT
-A INPUT -m rt --rt-type 0 -j DROP
-A FORWARD -j REJECT --reject-with icmp6-adm-prohibited
-A FORWARD -p tcp -j REJECT --reject-with tcp-reset
COMMIT
*nat
-A POSTROUTING -s fd00::/64 -j MASQUERADE
-A POSTROUTING -s fd00::1 -p tcp -j SNAT --to-source [2001:db8::1]:5-9
-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination [fd00::2]:80
-A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 8080
COMMIT
`

/** What to restore, by what program. */
export const rulesets: readonly { readonly name: string; readonly program: string; readonly text: string }[] =
  [
    { name: "Docker's", program: 'iptables-restore', text: docker },
    { name: "ufw's", program: 'iptables-restore', text: ufw },
    { name: 'every extension of IPv4', program: 'iptables-restore', text: extensions },
    { name: 'every extension of IPv6', program: 'ip6tables-restore', text: extensions6 },
  ]

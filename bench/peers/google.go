// google/nftables, the library of Go programs: what bench/workloads.ts commits, in one Flush. Prints the nanoseconds of
// each round; what undoes a round is not timed.
//
//	google rules|elements COUNT ROUNDS NAMESPACE
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "google/nftables:", err)
		os.Exit(1)
	}
}

// The n-th address of a /8.
func address(network byte, n int) []byte {
	return []byte{network, byte(n >> 16), byte(n >> 8), byte(n)}
}

func equals(base expr.PayloadBase, offset, length uint32, value []byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: base, Offset: offset, Len: length},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: value},
	}
}

// ip saddr A ip daddr B tcp dport P counter accept
func addRules(conn *nftables.Conn, table *nftables.Table, count int) {
	chain := conn.AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	for n := 0; n < count; n++ {
		exprs := append(equals(expr.PayloadBaseNetworkHeader, 12, 4, address(10, n)),
			equals(expr.PayloadBaseNetworkHeader, 16, 4, address(172, n))...)
		exprs = append(exprs, &expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{6}})
		exprs = append(exprs, equals(expr.PayloadBaseTransportHeader, 2, 2,
			binaryutil.BigEndian.PutUint16(uint16(1024+n%60000)))...)
		exprs = append(exprs, &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictAccept})
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
	}
}

// client . server . protocol . port
func addElements(conn *nftables.Conn, table *nftables.Table, count int) {
	set := &nftables.Set{
		Table: table, Name: "links", Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeIPAddr,
			nftables.TypeInetProto, nftables.TypeInetService),
	}
	check(conn.AddSet(set, nil))
	elements := make([]nftables.SetElement, 0, count)
	for n := 0; n < count; n++ {
		key := make([]byte, 16)
		copy(key, address(10, n))
		copy(key[4:], address(172, n))
		key[8] = 6
		binary.BigEndian.PutUint16(key[12:], uint16(1024+n%60000))
		elements = append(elements, nftables.SetElement{Key: key})
	}
	// It makes one message of what one call is given, and no message holds more than 65,535 bytes of elements.
	const chunk = 1500
	for start := 0; start < count; start += chunk {
		end := start + chunk
		if end > count {
			end = count
		}
		check(conn.SetAddElements(set, elements[start:end]))
	}
}

// The library opens its socket with buffers of the system's default size, which 10,000 rules do not fit ("message too
// long"), and has no way to say another. It is measured all the same: here the socket is found among the open files.
func enlargeBuffers() {
	const size = 64 << 20
	files, err := os.ReadDir("/proc/self/fd")
	check(err)
	for _, file := range files {
		fd, err := strconv.Atoi(file.Name())
		check(err)
		domain, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_DOMAIN)
		if err != nil || domain != syscall.AF_NETLINK {
			continue
		}
		check(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE, size))
		check(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, size))
	}
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: google rules|elements COUNT ROUNDS NAMESPACE")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	check(err)
	rounds, err := strconv.Atoi(os.Args[3])
	check(err)
	namespace, err := os.Open(os.Args[4])
	check(err)
	for ; rounds > 0; rounds-- {
		conn, err := nftables.New(nftables.WithNetNSFd(int(namespace.Fd())), nftables.AsLasting())
		check(err)
		enlargeBuffers()
		begin := time.Now()
		table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "bench"})
		if os.Args[1] == "rules" {
			addRules(conn, table, count)
		} else {
			addElements(conn, table, count)
		}
		check(conn.Flush())
		fmt.Println(time.Since(begin).Nanoseconds())
		conn.DelTable(table)
		check(conn.Flush())
		check(conn.CloseLasting())
	}
}

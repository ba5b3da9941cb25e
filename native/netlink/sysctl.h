// The settings below /proc/sys/net, of the namespace that the calling thread has entered: that is where the
// kernel looks up the path.
#pragma once

#include <string>

#include "netlink/failure.h"

namespace nfbridge::netlink {

// The file of a setting. As in sysctl(8) the first separator tells how the name is written: with dots
// (`net.ipv4.conf.eth0/100.forwarding`, where a slash stands for the dot in an interface's name) or with
// slashes
// (`net/ipv4/conf/eth0.100/forwarding`). Only names below `net`; no empty part, no `.` and no `..`.
Outcome<std::string> sysctl_path(const std::string& name);

// The value without the newline at its end.
Outcome<std::string> read_sysctl(const std::string& name);

// A file of /proc/net, which is the calling thread's namespace's own; a plain name such as `ip_tables_names`.
Outcome<std::string> read_proc_net(const std::string& name);

Outcome<Nothing> write_sysctl(const std::string& name, const std::string& value);

}  // namespace nfbridge::netlink

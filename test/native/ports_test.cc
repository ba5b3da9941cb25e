// Reservations of ports, who has one, and frames: in network namespaces of threads that end with their test.
// Needs root; skipped without.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "netlink/frames.h"
#include "netlink/port_owner.h"
#include "netlink/reservations.h"
#include "netlink/thread.h"
#include "support/check.h"

namespace nfbridge::test {
namespace {

using netlink::ReservedPort;

void in_new_namespace(const std::function<void()>& body) {
  auto thread = netlink::Thread::start("ports", [&] {
    if (unshare(CLONE_NEWNET) != 0) {
      skip(std::string("no new network namespace: ") + std::strerror(errno));
    } else {
      body();
    }
  });
  CHECK(thread.ok());
}

ReservedPort tcp(std::uint16_t port, const char* address = "0.0.0.0") {
  ReservedPort reserved{.protocol = IPPROTO_TCP, .family = AF_INET, .port = port};
  inet_pton(AF_INET, address, reserved.address.data());
  return reserved;
}

TEST("reservations: all or none, released one by one, and gone with their owner") {
  in_new_namespace([] {
    netlink::Reservations others;
    {
      netlink::Reservations ours;
      CHECK(ours.reserve(std::vector{tcp(80), tcp(443, "192.0.2.1")}).ok());
      CHECK_EQUAL(ours.size(), std::size_t{2});

      auto refused = others.reserve(std::vector{tcp(81), tcp(443), tcp(82)});
      if (!CHECK(!refused.ok())) return;
      CHECK_EQUAL(refused.failures()[0].index, 1);
      CHECK_EQUAL(refused.failures()[0].error, EADDRINUSE);
      CHECK_EQUAL(refused.failures()[0].call, "bind");
      CHECK_EQUAL(others.size(), std::size_t{0});
      CHECK(others.reserve(std::vector{tcp(81), tcp(82)}).ok());

      ours.release(std::vector{tcp(443, "192.0.2.1"), tcp(9)});
      CHECK_EQUAL(ours.size(), std::size_t{1});
      CHECK(others.reserve(std::vector{tcp(443)}).ok());
      CHECK(!others.reserve(std::vector{tcp(80)}).ok());
    }
    CHECK(others.reserve(std::vector{tcp(80)}).ok());
  });
}

TEST("reservations: what the kernel does not know is passed over") {
  in_new_namespace([] {
    netlink::Reservations reservations;
    ReservedPort unknown = tcp(80);
    unknown.protocol = 253;  // RFC 3692: for experiments
    CHECK(reservations.reserve(std::vector{unknown, tcp(80)}).ok());
    CHECK_EQUAL(reservations.size(), std::size_t{1});
  });
}

TEST("the owner of a port is this process; nobody has another") {
  in_new_namespace([] {
    netlink::Reservations reservations;
    CHECK(reservations.reserve(std::vector{tcp(8080)}).ok());
    auto owner = netlink::port_owner(IPPROTO_TCP, 8080);
    if (!CHECK(owner.ok())) return;
    const std::string expected = "process " + std::to_string(getpid()) + " \"";
    // Kernels before 6.8 do not list what is bound and does not listen.
    CHECK(owner.value().empty() || owner.value().starts_with(expected));
    const ReservedPort elsewhere = tcp(1, "192.0.2.1");
    CHECK(reservations.reserve(std::vector{tcp(9090, "192.0.2.2")}).ok());
    auto other = netlink::port_owner(IPPROTO_TCP, 9090, std::as_bytes(std::span(elsewhere.address)).first(4));
    CHECK(other.ok() && other.value().empty());
    auto nobody = netlink::port_owner(IPPROTO_TCP, 8081);
    CHECK(nobody.ok() && nobody.value().empty());
  });
}

TEST("frames: none is sent when one is wrong; no link, no frame") {
  in_new_namespace([] {
    const auto bytes = [](std::initializer_list<std::size_t> lengths) {
      netlink::Buffer buffer;
      for (const std::size_t length : lengths) {
        const std::size_t offset = buffer.append(2 + length);
        std::memset(buffer.data() + offset, 0, 2 + length);
        buffer.store(offset, static_cast<std::uint16_t>(length));
      }
      return buffer;
    };
    netlink::FrameSender sender;
    const auto error = [&sender](const netlink::Link& link, netlink::Bytes frames) {
      auto outcome = sender.send(link, frames);
      return outcome.ok() ? 0 : outcome.failures()[0].error;
    };
    CHECK_EQUAL(error(1, bytes({14, 13}).bytes()), EINVAL);
    CHECK_EQUAL(error(1, bytes({1515}).bytes()), EINVAL);
    CHECK_EQUAL(error(1, bytes({14, 20}).bytes().first(35)), EINVAL);
    CHECK_EQUAL(error(1, bytes({14}).bytes().first(1)), EINVAL);
    CHECK_EQUAL(error(std::string("none0"), bytes({14}).bytes()), ENODEV);
    CHECK_EQUAL(error(std::string("a-name-that-is-too-long"), bytes({14}).bytes()), ENODEV);
    CHECK_EQUAL(error(std::string("lo"), bytes({42, 86}).bytes()), ENETDOWN);
    CHECK_EQUAL(error(1, {}), 0);
  });
}

}  // namespace
}  // namespace nfbridge::test

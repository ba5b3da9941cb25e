#include "netlink/monitor.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>

namespace nfbridge::netlink {
namespace {

// How many datagrams are taken before the sink is flushed and the wake-up looked at.
constexpr int kDatagramsATurn = 256;

Failure lost_events() {
  return {.reason = Reason::kOverflow,
          .error = ENOBUFS,
          .call = "recvmsg",
          .message = "events were lost: list again what they are about"};
}

}  // namespace

Outcome<std::unique_ptr<Monitor>> Monitor::open(int protocol, std::span<const std::uint32_t> groups,
                                                std::optional<MonitorFilter> filter) {
  Outcome<Socket> socket = Socket::open(protocol);
  if (!socket.ok()) return std::move(socket.failures());
  if (filter) {
    if (auto failure = socket.value().accept_only(filter->type, filter->except_port))
      return std::move(*failure);
  }
  for (const std::uint32_t group : groups) {
    if (auto failure = socket.value().join_group(group)) return std::move(*failure);
  }
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return system_failure("eventfd");
  return std::unique_ptr<Monitor>(new Monitor(std::move(socket.value()), std::move(wake)));
}

Outcome<Nothing> Monitor::start(MonitorSink& sink) {
  Outcome<Thread> thread = Thread::start("nfb-monitor", [this, &sink] { run(sink); });
  if (!thread.ok()) return std::move(thread.failures());
  thread_ = std::move(thread.value());
  return Nothing{};
}

void Monitor::resume() {
  const std::uint64_t one = 1;
  // EAGAIN: the counter is full, so the thread wakes anyway.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
}

Monitor::~Monitor() {
  stopping_ = true;
  resume();
  thread_.join();
}

void Monitor::run(MonitorSink& sink) {
  for (;;) {
    std::array<pollfd, 2> ready{{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                                 {.fd = socket_.fd(), .events = POLLIN, .revents = 0}}};
    if (poll(ready.data(), sink.full() ? 1 : 2, -1) < 0 && errno != EINTR) {
      sink.failure(system_failure("poll"));
      sink.flush();
      return;
    }
    if (ready[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t length = read(wake_.get(), &count, sizeof(count));
    }
    if (stopping_) return;
    if (ready[1].revents == 0) continue;
    const bool usable = receive(sink);
    sink.flush();
    if (!usable) return;
  }
}

bool Monitor::receive(MonitorSink& sink) {
  for (int taken = 0; taken < kDatagramsATurn; taken++) {
    const Received received = socket_.receive(false);
    if (received.error == EAGAIN) return true;
    if (received.error == ENOBUFS) {
      sink.failure(lost_events());
      continue;
    }
    if (received.error != 0) {
      sink.failure(system_failure("recvmsg", received.error));
      return false;
    }
    MessageReader reader(received.datagram);
    for (MessageView message; reader.next(message);) {
      const std::uint16_t type = message.header.nlmsg_type;
      if (type == NLMSG_OVERRUN) sink.failure(lost_events());
      if (type > NLMSG_OVERRUN) sink.message(message);
    }
    if (received.truncated) sink.failure(lost_events());
  }
  return true;
}

}  // namespace nfbridge::netlink

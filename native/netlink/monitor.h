// Multicast messages, on a socket and a thread of their own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "netlink/descriptor.h"
#include "netlink/failure.h"
#include "netlink/message.h"
#include "netlink/socket.h"
#include "netlink/thread.h"

namespace nfbridge::netlink {

// Gets what a monitor receives, on the monitor's thread.
class MonitorSink {
 public:
  virtual ~MonitorSink() = default;
  virtual void message(const MessageView& message) = 0;
  // `overflow`: messages were lost, others will come. Anything else: the monitor has ended.
  virtual void failure(Failure failure) = 0;
  // All that there was for now has been handed over.
  virtual void flush() = 0;
  // Whether the sink has more than it can take: then the monitor leaves messages with the kernel, whose
  // buffer may overflow, until resume().
  virtual bool full() = 0;
};

// Which messages of its groups a monitor gets: those of one type, but for what one socket caused. The kernel
// wakes nobody for the others.
struct MonitorFilter {
  std::uint16_t type;
  std::uint32_t except_port;
};

class Monitor {
 public:
  // Opens the socket in the calling thread's namespace and joins the groups; messages queue from here on.
  static Outcome<std::unique_ptr<Monitor>> open(int protocol, std::span<const std::uint32_t> groups,
                                                std::optional<MonitorFilter> filter = std::nullopt);
  // Starts the thread; once. The sink outlives the monitor.
  Outcome<Nothing> start(MonitorSink& sink);
  // After full(): there is room again.
  void resume();
  // Ends the thread; what it is just handing over, it finishes.
  ~Monitor();

 private:
  Monitor(Socket socket, Descriptor wake) : socket_(std::move(socket)), wake_(std::move(wake)) {}
  void run(MonitorSink& sink);
  // False when the socket is of no more use.
  bool receive(MonitorSink& sink);

  Socket socket_;
  Descriptor wake_;  // eventfd
  std::atomic<bool> stopping_ = false;
  Thread thread_;
};

}  // namespace nfbridge::netlink

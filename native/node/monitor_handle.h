// MonitorHandle of src/native/addon.ts: multicast messages on their way from a monitor's thread to a
// JavaScript function.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "codec/schema.h"
#include "netlink/monitor.h"
#include "node/calls.h"
#include "node/handle.h"

namespace nfbridge::node {

// Lives on two threads: the monitor's puts events in, the JavaScript thread takes them out.
class MonitorStream final : public netlink::MonitorSink, public std::enable_shared_from_this<MonitorStream> {
 public:
  // `holds`: the event loop stays alive while the stream is open.
  MonitorStream(Environment& environment, codec::Protocol protocol, napi_ref on_events, bool holds)
      : environment_(environment), protocol_(protocol), holds_(holds), on_events_(on_events) {}

  // JavaScript thread. A stream that was started is open until close().
  netlink::Outcome<netlink::Nothing> start(napi_env env, std::unique_ptr<netlink::Monitor> monitor);
  // No event is delivered from here on. The thread ends later, on an addon thread.
  void close(napi_env env);
  // Gives the function up when the stream was never started.
  void forget_function(napi_env env);
  // Calls the function with what has come.
  void deliver(napi_env env);

  // Ends the monitor's thread. Any thread but that one.
  void stop() { monitor_.reset(); }

  // The monitor's thread.
  void message(const netlink::MessageView& message) override;
  void failure(netlink::Failure failure) override;
  void flush() override;
  bool full() override;

 private:
  // Messages that follow each other, or a failure.
  using Events = netlink::Outcome<Words>;

  void put(Events events, std::size_t words);

  Environment& environment_;
  const codec::Protocol protocol_;
  const bool holds_;
  napi_ref on_events_;
  std::unique_ptr<netlink::Monitor> monitor_;
  bool open_ = false;
  Words gathered_;  // the monitor's thread only

  std::mutex mutex_;
  // Guarded by mutex_:
  std::deque<Events> queue_;
  std::size_t queued_words_ = 0;
  bool announced_ = false;
  bool was_full_ = false;
};

class MonitorHandle final : public Handle {
 public:
  static constexpr HandleClass kClass = HandleClass::kMonitor;
  static bool define(napi_env env, Environment& environment);

  // An object that is collected leaves its monitor open: the function still wants the events.
  explicit MonitorHandle(std::shared_ptr<MonitorStream> stream) : stream_(std::move(stream)) {}

 private:
  static napi_value close(napi_env env, napi_callback_info info);

  std::shared_ptr<MonitorStream> stream_;
};

}  // namespace nfbridge::node

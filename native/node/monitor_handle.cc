#include "node/monitor_handle.h"

#include <array>
#include <utility>

#include "codec/decode.h"
#include "node/failures.h"
#include "node/values.h"

namespace nfbridge::node {
namespace {

// 16 MiB wait for the JavaScript thread at most; then the kernel's buffer fills, and its overflow says what
// was lost.
constexpr std::size_t kMaxQueuedWords = 4 * 1024 * 1024;

class Delivery final : public Completion {
 public:
  explicit Delivery(std::shared_ptr<MonitorStream> stream) : stream_(std::move(stream)) {}
  void settle(napi_env env, Environment&) override { stream_->deliver(env); }

 private:
  std::shared_ptr<MonitorStream> stream_;
};

}  // namespace

netlink::Outcome<netlink::Nothing> MonitorStream::start(napi_env env,
                                                        std::unique_ptr<netlink::Monitor> monitor) {
  monitor_ = std::move(monitor);
  auto started = monitor_->start(*this);
  if (!started.ok()) {
    monitor_.reset();
    return started;
  }
  open_ = true;
  environment_.add_monitor(shared_from_this());
  if (holds_) environment_.hold(env);
  return started;
}

void MonitorStream::close(napi_env env) {
  if (!std::exchange(open_, false)) return;
  const auto self = shared_from_this();
  environment_.remove_monitor(self);
  if (holds_) environment_.let_go(env);
  forget_function(env);
  // Joining the thread and closing the socket may wait: not here.
  struct Ending {
    std::shared_ptr<MonitorStream> stream;
    ~Ending() { stream->stop(); }
  };
  auto ending = std::make_shared<Ending>();
  ending->stream = self;
  environment_.executor()->release(std::make_shared<Strand>(), std::move(ending));
}

void MonitorStream::forget_function(napi_env env) {
  if (on_events_ != nullptr) napi_delete_reference(env, std::exchange(on_events_, nullptr));
}

void MonitorStream::message(const netlink::MessageView& message) {
  codec::decode(protocol_, message.bytes, 0, gathered_);
}

void MonitorStream::failure(netlink::Failure failure) {
  flush();
  put(std::move(failure), 0);
}

void MonitorStream::flush() {
  if (gathered_.empty()) return;
  const std::size_t words = gathered_.size();
  put(std::exchange(gathered_, {}), words);
}

void MonitorStream::put(Events events, std::size_t words) {
  bool announce;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(events));
    queued_words_ += words;
    announce = !std::exchange(announced_, true);
  }
  if (announce) environment_.complete(std::make_unique<Delivery>(shared_from_this()));
}

bool MonitorStream::full() {
  const std::lock_guard lock(mutex_);
  was_full_ = queued_words_ > kMaxQueuedWords;
  return was_full_;
}

void MonitorStream::deliver(napi_env env) {
  std::deque<Events> events;
  bool resume;
  {
    const std::lock_guard lock(mutex_);
    events.swap(queue_);
    queued_words_ = 0;
    announced_ = false;
    resume = std::exchange(was_full_, false);
  }
  if (resume && open_) monitor_->resume();
  for (Events& some : events) {
    if (!open_) return;  // closed meanwhile, perhaps by the function itself
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    napi_value function = nullptr;
    napi_value receiver = undefined(env);
    napi_value argument =
        some.ok() ? array_buffer(env, std::move(some.value())) : failures_value(env, some.failures());
    if (argument != nullptr && receiver != nullptr &&
        napi_get_reference_value(env, on_events_, &function) == napi_ok && function != nullptr) {
      napi_call_function(env, receiver, function, 1, &argument, nullptr);
    }
    // What the function throws is an uncaught exception, as from any callback; the next events come all the
    // same.
    napi_value error = nullptr;
    bool thrown = false;
    if (napi_is_exception_pending(env, &thrown) == napi_ok && thrown &&
        napi_get_and_clear_last_exception(env, &error) == napi_ok) {
      napi_fatal_exception(env, error);
    }
    napi_close_handle_scope(env, scope);
  }
}

napi_value MonitorHandle::close(napi_env env, napi_callback_info info) {
  const auto arguments = Arguments<0>::read(env, info);
  if (!arguments) return nullptr;
  auto* self = unwrap<MonitorHandle>(env, arguments->self);
  if (self == nullptr) return nullptr;
  self->stream_->close(env);
  return undefined(env);
}

bool MonitorHandle::define(napi_env env, Environment& environment) {
  const std::array properties{method("close", close)};
  return define_handle(env, environment, kClass, "MonitorHandle", properties);
}

}  // namespace nfbridge::node

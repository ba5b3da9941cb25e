#include "node/executor.h"

#include <utility>

namespace nfbridge::node {
namespace {

// Holds a resource until an addon thread runs it.
class Release final : public Job {
 public:
  explicit Release(std::shared_ptr<void> resource) : resource_(std::move(resource)) {}
  void run(netlink::Home&) override { resource_.reset(); }
  void cancel(netlink::Failure) override { resource_.reset(); }
  bool settles() const override { return false; }
  void settle(napi_env, Environment&) override {}

 private:
  std::shared_ptr<void> resource_;
};

}  // namespace

netlink::Failure closed_failure() {
  return {.reason = netlink::Reason::kClosed, .error = 0, .call = "close", .message = "the handle is closed"};
}

void Executor::post(const std::shared_ptr<Strand>& strand, std::unique_ptr<Job> job) {
  enqueue(strand, {std::move(job), false}, false);
}

void Executor::release(const std::shared_ptr<Strand>& strand, std::shared_ptr<void> resource) {
  enqueue(strand, {std::make_unique<Release>(std::move(resource)), true}, false);
}

void Executor::close(const std::shared_ptr<Strand>& strand, std::shared_ptr<void> resource) {
  enqueue(strand, {std::make_unique<Release>(std::move(resource)), true}, true);
}

void Executor::enqueue(const std::shared_ptr<Strand>& strand, Strand::Entry entry, bool close) {
  std::unique_lock lock(mutex_);
  strand->closed_ |= close;
  if (stopping_) return;  // the entry's job is dropped, and with it what it holds
  if (strand->closed_ && !entry.when_closed && !strand->scheduled_) {
    lock.unlock();
    entry.job->cancel(closed_failure());
    done_(std::move(entry.job));
    return;
  }
  if (!strand->scheduled_) {
    if (auto failure = ensure_thread()) {
      lock.unlock();
      entry.job->cancel(std::move(*failure));
      done_(std::move(entry.job));
      return;
    }
  }
  strand->entries_.push_back(std::move(entry));
  if (!std::exchange(strand->scheduled_, true)) {
    ready_.push_back(strand);
    lock.unlock();
    wake_.notify_one();
  }
}

std::optional<netlink::Failure> Executor::ensure_thread() {
  // Threads that have ended, because they could not return from a namespace, are joined: that takes no time.
  workers_.remove_if([](const Worker& worker) { return worker.ended; });
  if (idle_ > ready_.size() || running_ >= kMaxThreads) return std::nullopt;
  Worker& worker = workers_.emplace_back();
  // The new thread waits for the lock before it touches anything.
  auto thread = netlink::Thread::start("nfbridge", [this, &worker] { work(worker); });
  if (thread.ok()) {
    worker.thread = std::move(thread.value());
    running_++;
    return std::nullopt;
  }
  workers_.pop_back();
  if (running_ > 0) return std::nullopt;
  return std::move(thread.failures().front());
}

void Executor::give_up(std::unique_lock<std::mutex>& lock, const netlink::Failure& failure) {
  while (!ready_.empty()) {
    const std::shared_ptr<Strand> strand = std::move(ready_.front());
    ready_.pop_front();
    std::deque<Strand::Entry> entries = std::exchange(strand->entries_, {});
    strand->scheduled_ = false;
    lock.unlock();
    for (Strand::Entry& entry : entries) {
      entry.job->cancel(failure);
      done_(std::move(entry.job));
    }
    lock.lock();
  }
}

void Executor::work(Worker& self) {
  netlink::Home home;
  std::unique_lock lock(mutex_);
  while (!home.stranded()) {
    idle_++;
    wake_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
    idle_--;
    if (stopping_) break;
    const std::shared_ptr<Strand> strand = std::move(ready_.front());
    ready_.pop_front();
    Strand::Entry entry = std::move(strand->entries_.front());
    strand->entries_.pop_front();
    const bool cancelled = strand->closed_ && !entry.when_closed;
    lock.unlock();
    if (cancelled) {
      entry.job->cancel(closed_failure());
    } else {
      entry.job->run(home);
    }
    done_(std::move(entry.job));
    lock.lock();
    if (strand->entries_.empty()) {
      strand->scheduled_ = false;
    } else {
      ready_.push_back(strand);
    }
  }
  running_--;
  if (!stopping_ && running_ == 0 && !ready_.empty()) {
    // Nobody may post again and start another.
    if (auto failure = ensure_thread()) give_up(lock, *failure);
  }
  self.ended = true;
}

void Executor::stop() {
  std::list<Worker> workers;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    workers.swap(workers_);
  }
  wake_.notify_all();
  workers.clear();  // joins
  std::deque<std::shared_ptr<Strand>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(ready_);
  }
  for (const auto& strand : dropped) strand->entries_.clear();
}

}  // namespace nfbridge::node

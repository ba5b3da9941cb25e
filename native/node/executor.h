// The addon's own threads: at most four, started when they are first needed. Never Node's main thread, which
// the work would hold, and never libuv's pool, which DNS and files need.
//
// Jobs of one strand run one after the other, in order; strands run side by side.
#pragma once

#include <js_native_api_types.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "netlink/failure.h"
#include "netlink/namespace.h"
#include "netlink/thread.h"

namespace nfbridge::node {

class Environment;

// What is left to do on the JavaScript thread.
class Completion {
 public:
  virtual ~Completion() = default;
  virtual void settle(napi_env env, Environment& environment) = 0;
};

// What the calls of a closed handle end with.
netlink::Failure closed_failure();

class Job : public Completion {
 public:
  // On an addon thread, which may enter namespaces and comes back to `home`.
  virtual void run(netlink::Home& home) = 0;
  // Instead of run(): it did not begin, and this is why.
  virtual void cancel(netlink::Failure failure) = 0;
  // Whether settle() is wanted afterwards.
  virtual bool settles() const = 0;
};

// The queue of one handle.
class Strand {
 private:
  friend class Executor;
  // All guarded by the executor's mutex.
  struct Entry {
    std::unique_ptr<Job> job;
    bool when_closed = false;
  };
  std::deque<Entry> entries_;
  bool scheduled_ = false;  // in the executor's queue, or running
  bool closed_ = false;
};

class Executor {
 public:
  // Takes a job that has run or was cancelled; on any thread, never with the executor's lock held.
  using Done = std::function<void(std::unique_ptr<Job>)>;

  static constexpr std::size_t kMaxThreads = 4;

  explicit Executor(Done done) : done_(std::move(done)) {}
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues a job, to be cancelled (`closed`) when the strand is closed. After stop() it is dropped.
  void post(const std::shared_ptr<Strand>& strand, std::unique_ptr<Job> job);

  // Lets go of a resource on an addon thread, after the jobs that are queued: closing a netlink socket can
  // wait for the kernel, which must not happen on the JavaScript thread.
  void release(const std::shared_ptr<Strand>& strand, std::shared_ptr<void> resource);

  // Cancels what has not begun, refuses what comes, and releases the resource after all of it.
  void close(const std::shared_ptr<Strand>& strand, std::shared_ptr<void> resource);

  // Waits for the jobs that run, drops the others and ends the threads. For good; idempotent.
  void stop();

 private:
  struct Worker {
    netlink::Thread thread;
    bool ended = false;
  };

  void enqueue(const std::shared_ptr<Strand>& strand, Strand::Entry entry, bool close);
  // With the lock held: starts a thread if all are busy; the failure when there is none at all.
  std::optional<netlink::Failure> ensure_thread();
  // With the lock held, which it gives up meanwhile: cancels all that waits, for want of a thread.
  void give_up(std::unique_lock<std::mutex>& lock, const netlink::Failure& failure);
  void work(Worker& self);

  const Done done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Strand>> ready_;
  std::list<Worker> workers_;
  std::size_t idle_ = 0;
  std::size_t running_ = 0;  // threads that have not ended
  bool stopping_ = false;
};

}  // namespace nfbridge::node

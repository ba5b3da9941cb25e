// A thread that is joined when its owner goes. std::thread aborts the process where a thread cannot be had
// (we build without exceptions); this one says so.
#pragma once

#include <pthread.h>

#include <functional>
#include <utility>

#include "netlink/failure.h"

namespace nfbridge::netlink {

class Thread {
 public:
  // Starts `body` on a new thread named `name` (15 characters at most) that takes no signals: they are
  // Node's.
  static Outcome<Thread> start(const char* name, std::function<void()> body);

  Thread() = default;
  Thread(Thread&& other) noexcept
      : thread_(other.thread_), joinable_(std::exchange(other.joinable_, false)) {}
  Thread& operator=(Thread&& other) noexcept {
    if (this != &other) {
      join();
      thread_ = other.thread_;
      joinable_ = std::exchange(other.joinable_, false);
    }
    return *this;
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() { join(); }

  // Waits for the body to return. Must not be called by the thread itself.
  void join() {
    if (std::exchange(joinable_, false)) pthread_join(thread_, nullptr);
  }

 private:
  explicit Thread(pthread_t thread) : thread_(thread), joinable_(true) {}

  pthread_t thread_{};
  bool joinable_ = false;
};

}  // namespace nfbridge::netlink

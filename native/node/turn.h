// Whose turn it is on a socket. A mutex would do, were it fair: the thread that works through a handle's
// queue takes it again before a waiting synchronous call has woken up, and that call would wait for the whole
// queue.
#pragma once

#include <condition_variable>
#include <mutex>

namespace nfbridge::node {

class Turn {
 public:
  enum class Caller { kQueued, kSynchronous };

  // Holds the turn while it lives.
  class Holder {
   public:
    Holder(Turn& turn, Caller caller) : turn_(turn) { turn_.take(caller); }
    ~Holder() { turn_.give_back(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   private:
    Turn& turn_;
  };

 private:
  void take(Caller caller) {
    std::unique_lock lock(mutex_);
    if (caller == Caller::kSynchronous) {
      waiting_++;
      free_.wait(lock, [this] { return !taken_; });
      waiting_--;
    } else {
      free_.wait(lock, [this] { return !taken_ && waiting_ == 0; });
    }
    taken_ = true;
  }

  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      taken_ = false;
    }
    free_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable free_;
  int waiting_ = 0;  // synchronous calls
  bool taken_ = false;
};

}  // namespace nfbridge::node

#include "netlink/thread.h"

#include <csignal>
#include <memory>
#include <string>

namespace nfbridge::netlink {
namespace {

// Netlink work needs little stack; the default of 8 MiB would only cost address space.
constexpr std::size_t kStackSize = 512 * 1024;

struct Start {
  std::string name;
  std::function<void()> body;
};

void* enter(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name.c_str());
  start->body();
  return nullptr;
}

}  // namespace

Outcome<Thread> Thread::start(const char* name, std::function<void()> body) {
  auto start = std::make_unique<Start>(Start{name, std::move(body)});
  pthread_attr_t attributes;
  if (const int error = pthread_attr_init(&attributes); error != 0) {
    return system_failure("pthread_attr_init", error);
  }
  pthread_attr_setstacksize(&attributes, kStackSize);
  // A new thread inherits the mask of its creator.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, enter, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) return system_failure("pthread_create", error);
  start.release();  // the thread owns it now
  return Thread(thread);
}

}  // namespace nfbridge::netlink

#include "worker/pool/sandbox.hpp"

#include "worker/pool/parcel.hpp"

#include "shared/processes/resource_limits.hpp"

#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/ucontext.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>

namespace framefleet::worker {
namespace {

constexpr rlim_t kFilesMax = 64;

/// Computing, memory without code, the descriptors that are there, and an orderly end.
constexpr std::array kAllowed{
    SCMP_SYS(read),         SCMP_SYS(write),           SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),     SCMP_SYS(recvmsg),         SCMP_SYS(sendmsg),
    SCMP_SYS(close),        SCMP_SYS(fstat),           SCMP_SYS(lseek),
    SCMP_SYS(munmap),       SCMP_SYS(mremap),          SCMP_SYS(madvise),
    SCMP_SYS(brk),          SCMP_SYS(futex),           SCMP_SYS(sched_yield),
    SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(getrusage),    SCMP_SYS(getrandom),       SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
};

/// Nothing that decodes a picture asks for these, not even in vain.
constexpr std::array kDeadly{
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kill),
    SCMP_SYS(bpf),
    SCMP_SYS(mount),
    SCMP_SYS(keyctl),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
};

std::atomic<std::uint64_t> denied{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// The refused call returns EPERM: the filter traps instead of answering so that it is counted.
void on_denied(int, siginfo_t*, void* context) {
  denied.fetch_add(1, std::memory_order_relaxed);
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  machine.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
  machine.regs[0] = static_cast<unsigned long long>(-EPERM);
#else
#error "say in which register this machine returns the result of a system call"
#endif
}

tl::unexpected<Error> refused(const char* what, int error) {
  return fail(Error{std::string("cannot enter the sandbox: ") + what + ": " +
                    std::strerror(error < 0 ? -error : error)});
}

/// Negative: an errno of libseccomp's.
int fill(scmp_filter_ctx filter) {
  int error = 0;
  const auto keep = [&](int result) { error = error != 0 ? error : result; };
  for (const int call : kAllowed) keep(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0));
  for (const int call : kDeadly) keep(seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0));
  // Memory may become readable and writable, never executable.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    keep(seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)));
  }
  // abort() signals itself, and nobody else may be signalled.
  const auto self = static_cast<scmp_datum_t>(::getpid());
  keep(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self)));
  return error;
}

}  // namespace

Result<void, Error> enter_sandbox(std::uint64_t memory_max) {
  limit_resource(RLIMIT_AS, address_space_bytes() + memory_max);
  limit_resource(RLIMIT_CORE, 0);
  limit_resource(RLIMIT_FSIZE, kAnswerBytesMax);
  limit_resource(RLIMIT_NOFILE, kFilesMax);
  struct sigaction action {};
  action.sa_sigaction = on_denied;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return refused("sigaction", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs", errno);
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_TRAP),
                                                                 &seccomp_release);
  if (filter == nullptr) return refused("seccomp_init", ENOMEM);
  if (const int error = fill(filter.get()); error != 0) return refused("a rule", error);
  if (const int error = seccomp_load(filter.get()); error != 0) return refused("the filter", error);
  return {};
}

void limit_trial(std::uint64_t memory_max) {
  constexpr rlim_t kCpuSeconds = 60;
  limit_resource(RLIMIT_AS, address_space_bytes() + memory_max);
  limit_resource(RLIMIT_CPU, kCpuSeconds);
  limit_resource(RLIMIT_CORE, 0);
}

std::uint64_t denied_syscalls() { return denied.load(std::memory_order_relaxed); }

void raise_cpu_limit(pid_t pid, Duration budget) {
  clockid_t clock{};
  timespec used{};
  rlimit cpu{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0 ||
      ::prlimit(pid, RLIMIT_CPU, nullptr, &cpu) != 0) {
    return;
  }
  const auto more = std::chrono::ceil<std::chrono::seconds>(budget).count() + 1;
  cpu.rlim_cur = std::min(cpu.rlim_max, static_cast<rlim_t>(used.tv_sec + more));
  ::prlimit(pid, RLIMIT_CPU, &cpu, nullptr);
}

}  // namespace framefleet::worker

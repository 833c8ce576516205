#include "producer/capture/sandbox.hpp"

#include "shared/processes/resource_limits.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace framefleet::producer {
namespace {

/// On top of what it begins with. An 8K H.265 stream holds 17 pictures of 50 MB.
constexpr rlim_t kMemoryBytes = rlim_t{3} << 30U;
constexpr rlim_t kFilesMax = 64;
/// The three slots for frames; it writes nothing else.
constexpr rlim_t kFileBytes = rlim_t{128} << 20U;

constexpr int kDeadly[]{
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(kill),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(io_uring_setup),
};
/// Changes to files by name. (Sockets and the frames' memory are not opened.)
constexpr int kDenied[]{
    SCMP_SYS(unlink),    SCMP_SYS(unlinkat), SCMP_SYS(rename),  SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(mkdir),    SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
    SCMP_SYS(link),      SCMP_SYS(linkat),   SCMP_SYS(symlink), SCMP_SYS(symlinkat),
    SCMP_SYS(chmod),     SCMP_SYS(fchmodat), SCMP_SYS(chown),   SCMP_SYS(fchownat),
    SCMP_SYS(truncate),  SCMP_SYS(creat),    SCMP_SYS(mknod),   SCMP_SYS(mknodat),
    SCMP_SYS(fork),      SCMP_SYS(vfork),
};

tl::unexpected<Error> refused(const char* what, int error) {
  return fail(Error{std::string("cannot enter the sandbox: ") + what + ": " +
                    std::strerror(error < 0 ? -error : error)});
}

/// What a kind of camera needs beyond the others.
struct Needs {
  bool network;
  bool files_to_write;
};

/// Negative: an errno of libseccomp's. Calls that this machine does not have are no mistake.
int fill(scmp_filter_ctx filter, Needs needs) {
  int error = 0;
  const auto keep = [&](int result) { error = error != 0 ? error : result; };
  for (const int call : kDeadly) {
    if (call >= 0) keep(seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0));
  }
  for (const int call : kDenied) {
    if (call >= 0) keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0));
  }
  // Threads, no processes. The arguments of clone3 cannot be looked at: without it, clone is used.
  keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)));
  if (!needs.network) keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0));
  if (!needs.files_to_write) {
    for (const auto flag : {O_WRONLY, O_RDWR}) {
      const auto bits = static_cast<scmp_datum_t>(flag);
      keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1,
                            SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, bits)));
      if (SCMP_SYS(open) >= 0) {
        keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, bits)));
      }
    }
    keep(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0));
  }
  return error;
}

}  // namespace

void leave_no_traces() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);
  limit_resource(RLIMIT_CORE, 0);
  const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nothing < 0) return;
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(nothing, STDERR_FILENO);
  ::close(nothing);
}

Result<void, Error> enter_capture_sandbox(const CameraOptions& options) {
  limit_resource(RLIMIT_AS, address_space_bytes() + kMemoryBytes);
  limit_resource(RLIMIT_FSIZE, kFileBytes);
  limit_resource(RLIMIT_NOFILE, kFilesMax);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs", errno);
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ALLOW),
                                                                 &seccomp_release);
  if (filter == nullptr) return refused("seccomp_init", ENOMEM);
  // A camera at this machine is a file that is told what to do.
  const bool is_device = options.url.reveal().starts_with("v4l2:");
  const bool is_file = options.url.reveal().starts_with("file:");
  const int error = fill(filter.get(), {!is_device && !is_file, is_device});
  if (error != 0) return refused("a rule", error);
  if (const int refusal = seccomp_load(filter.get()); refusal != 0) {
    return refused("the filter", refusal);
  }
  return {};
}

}  // namespace framefleet::producer

#include "worker/pool/model_trial.hpp"

#include "worker/pool/child_wire.hpp"
#include "worker/pool/limited_process.hpp"
#include "worker/pool/model_wire.hpp"
#include "worker/pool/parcel.hpp"
#include "worker/pool/sandbox.hpp"

#include "shared/processes/fields.hpp"
#include "shared/processes/linked_process.hpp"
#include "shared/processes/packet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace framefleet::worker {
namespace {

constexpr const char* kTrialWord = "--model-trial-fd";

/// What is said of a model fits a packet many times.
constexpr std::size_t kTextBytesMax = 4096;

std::string encode(const Result<ModelTrial, Error>& result) {
  FieldWriter out;
  out.put(static_cast<std::uint8_t>(result ? 1 : 0));
  if (result) {
    out.put(result->layout).put(result->backend);
    put(out, result->gallery);
    out.put(static_cast<std::uint32_t>(result->left_out.size()));
    for (const auto& each : result->left_out) {
      out.put(std::string_view(each).substr(0, kTextBytesMax));
    }
  } else {
    out.put(static_cast<std::int32_t>(result.error().exit_code));
    out.put(std::string_view(result.error().text).substr(0, kTextBytesMax));
  }
  return out.take();
}

std::optional<Result<ModelTrial, Error>> decode(std::string_view bytes) {
  FieldReader in(bytes);
  if (in.get<std::uint8_t>() != 0) {
    ModelTrial trial;
    trial.layout = in.text();
    trial.backend = in.text();
    trial.gallery = get_faces(in);
    const auto left_out = in.count(kGalleryMax);
    for (std::uint32_t i = 0; i < left_out; ++i) trial.left_out.push_back(in.text());
    if (!in.done()) return std::nullopt;
    return trial;
  }
  const auto code = in.get<std::int32_t>();
  Error error{in.text(), code == exit_code::kNoInput ? exit_code::kNoInput : exit_code::kConfig};
  if (!in.done()) return std::nullopt;
  return tl::unexpected<Error>(std::move(error));
}

/// What a trial says is on a sheet that the worker made; the packet has its size.
std::optional<Result<ModelTrial, Error>> said_on(int sheet, const Packet& packet) {
  FieldReader in(packet.bytes);
  const std::array sizes{in.get<std::uint64_t>()};
  if (!in.done()) return std::nullopt;
  const auto parts = read_answer(sheet, sizes);
  return parts ? decode(parts->front()) : std::nullopt;
}

bool say(int link, int sheet, const Result<ModelTrial, Error>& result) {
  const std::string words = encode(result);
  const std::array<std::string_view, 1> parts{words};
  FieldWriter out;
  out.put(static_cast<std::uint64_t>(words.size()));
  return write_answer(sheet, parts) && send_packet(link, out.take(), {}, Wait::yes);
}

tl::unexpected<Error> ended(const Model& model, std::string_view how) {
  return fail(Error{model.path + ": reading or running it " + std::string(how) +
                        ": get the file again, or export it anew",
                    exit_code::kConfig});
}

std::string how_of(int status) {
  // It was not yet gone when it was ended.
  if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL) return "ended its process";
  if (WTERMSIG(status) == SIGXCPU) return "took too much CPU";
  return "crashes (signal " + std::to_string(WTERMSIG(status)) + ")";
}

/// A process that is ended and reaped at the end of its trial, however that goes.
class Trial {
 public:
  explicit Trial(LinkedProcess process) : process_(std::move(process)) {}
  ~Trial() { static_cast<void>(end()); }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  int link() const { return process_.link.get(); }
  /// As waitpid gives it.
  int end() {
    if (process_.pid == 0) return 0;
    int status = 0;
    ::kill(process_.pid, SIGKILL);  // nothing, where it has ended already
    while (::waitpid(process_.pid, &status, 0) < 0 && errno == EINTR) {
    }
    process_.pid = 0;
    return status;
  }

 private:
  LinkedProcess process_;
};

/// What parsers say of a broken file is said by the worker, in its own words.
void be_silent() {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null >= 0) ::dup2(null, STDERR_FILENO);
}

}  // namespace

Result<ModelTrial, Error> try_apart(const Model& model, const std::vector<Model>& beside,
                                    const TrialOptions& options) {
  std::vector<Model> models{model};
  models.insert(models.end(), beside.begin(), beside.end());
  auto parcel = pack(models);
  if (!parcel) return fail(parcel.error());
  const FileDescriptor sheet = make_answer_sheet();
  if (!sheet) return fail(Error{"no memory to try a model with"});
  Setup setup;
  setup.limits = options.limits;
  setup.model_bytes = std::move(parcel->frame_bytes);
  setup.memory_max = options.memory_max;
  auto started = start_limited(options.program, kTrialWord, setup.limits);
  if (!started) return fail(started.error());
  Trial trial(std::move(*started));
  const std::array files{parcel->file.get(), sheet.get()};
  Packet packet;
  Heard heard = Heard::closed;
  if (send_packet(trial.link(), encode(ToZygote(std::move(setup))), files, Wait::no)) {
    pollfd answer{trial.link(), POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&answer, 1, static_cast<int>(ceil_ms(options.patience)));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) return ended(model, "does not end");
    heard = receive_packet(trial.link(), 0, Wait::yes, packet);
  }
  if (heard == Heard::packet) {
    if (auto said = said_on(sheet.get(), packet)) return std::move(*said);
  }
  return ended(model, how_of(trial.end()));
}

std::optional<int> run_as_model_trial(int argc, const char* const* argv) {
  const auto link = link_in(argc, argv, kTrialWord);
  if (!link) return std::nullopt;
  if (*link < 0) return exit_code::kUsage;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  be_silent();
  const FileDescriptor control(*link);
  Packet packet;
  if (receive_packet(control.get(), 2, Wait::yes, packet) != Heard::packet) return exit_code::kOk;
  auto word = decode_to_zygote(packet.bytes);
  auto* const setup = word ? std::get_if<Setup>(&*word) : nullptr;
  if (setup == nullptr || packet.files.size() != 2) return exit_code::kInternal;
  auto models = unpack({std::move(packet.files[0]), std::move(setup->model_bytes)});
  if (!models || models->empty()) return exit_code::kInternal;
  DetectorSettings beside;
  beside.limits = setup->limits;
  beside.models.assign(models->begin() + 1, models->end());
  limit_trial(setup->memory_max);
  Result<ModelTrial, Error> result;
  try {
    result = try_model(models->front(), beside);
  } catch (const std::bad_alloc&) {
    result = fail(Error{models->front().path + ": it takes more memory than a child process may",
                        exit_code::kConfig});
  }
  return say(control.get(), packet.files[1].get(), result) ? exit_code::kOk : exit_code::kInternal;
}

}  // namespace framefleet::worker

#include "worker/pool/child_wire.hpp"

#include "worker/pool/model_wire.hpp"

#include "shared/processes/fields.hpp"
#include "shared/wire/codec.hpp"

#include <algorithm>

namespace framefleet::worker {
namespace {

enum class Word : std::uint8_t {
  setup,
  bear,
  born,
  died,
  order,
  abandon,
  ready,
  entered,
  finished,
  failed
};

constexpr std::uint32_t kListMax = 64;
/// A record, and the artefacts of one result.
constexpr std::uint32_t kPartsMax = wire::kArtefactsMax + 1;

FieldWriter begin(Word word) {
  FieldWriter out;
  out.put(word);
  return out;
}

std::string encode_one(const Setup& setup) {
  auto out = begin(Word::setup);
  out.put(setup.limits.pixels_max).put(setup.limits.bytes_max).put(setup.limits.side_max);
  out.put(setup.limits.jpeg_scans_max).put(setup.limits.jpeg_scan_pixels_max);
  out.put(setup.limits.chunks_max).put(setup.limits.formats.bits());
  out.put(setup.cascade_folder).put(setup.memory_max);
  out.put(static_cast<std::uint32_t>(setup.detectors.size()));
  for (const auto& detector : setup.detectors) out.put(detector);
  out.put(static_cast<std::uint32_t>(setup.model_bytes.size()));
  for (const auto bytes : setup.model_bytes) out.put(bytes);
  return out.take();
}

Setup read_setup(FieldReader& in) {
  Setup setup;
  setup.limits.pixels_max = in.get<std::uint64_t>();
  setup.limits.bytes_max = in.get<std::uint64_t>();
  setup.limits.side_max = in.get<std::uint32_t>();
  setup.limits.jpeg_scans_max = in.get<std::uint32_t>();
  setup.limits.jpeg_scan_pixels_max = in.get<std::uint64_t>();
  setup.limits.chunks_max = in.get<std::uint32_t>();
  setup.limits.formats = FormatSet::of_bits(in.get<std::uint32_t>());
  setup.cascade_folder = in.text();
  setup.memory_max = in.get<std::uint64_t>();
  const auto count = in.count(kListMax);
  for (std::uint32_t i = 0; i < count; ++i) setup.detectors.push_back(in.text());
  const auto frames = in.count(kModelFramesMax);
  for (std::uint32_t i = 0; i < frames; ++i) setup.model_bytes.push_back(in.get<std::uint64_t>());
  return setup;
}

std::string encode_one(const Bear& bear) { return begin(Word::bear).put(bear.serial).take(); }
std::string encode_one(const Born& born) {
  return begin(Word::born).put(born.serial).put(born.pid).take();
}
std::string encode_one(const Died& died) {
  return begin(Word::died).put(died.serial).put(died.status).take();
}

std::optional<std::string> encode_one(const Order& order) {
  auto task = wire::encode_task(order.task);
  if (!task || order.frame_bytes.size() > kListMax) return std::nullopt;
  auto out = begin(Word::order);
  out.put(order.ticket).put(order.attempt).put(*task);
  out.put(order.id.source).put(order.id.epoch).put(order.id.sequence).put(order.id.part);
  out.put(static_cast<std::uint32_t>(order.frame_bytes.size()));
  for (const auto bytes : order.frame_bytes) out.put(bytes);
  return out.take();
}

Order read_order(FieldReader& in) {
  Order order;
  order.ticket = in.get<std::uint64_t>();
  order.attempt = in.get<std::uint16_t>();
  auto task = wire::decode_task(in.text());
  if (task) {
    order.task = std::move(*task);
  } else {
    in.refuse();
  }
  order.id.source = in.get<std::uint64_t>();
  order.id.epoch = in.get<std::uint32_t>();
  order.id.sequence = in.get<std::uint64_t>();
  order.id.part = in.get<std::uint16_t>();
  const auto count = in.count(kListMax);
  for (std::uint32_t i = 0; i < count; ++i) order.frame_bytes.push_back(in.get<std::uint64_t>());
  return order;
}

std::optional<std::string> encode_one(const Abandon& abandon) {
  return begin(Word::abandon).put(abandon.ticket).take();
}

std::string encode_one(const Ready&) { return begin(Word::ready).take(); }
std::string encode_one(const Entered& entered) {
  return begin(Word::entered).put(entered.stage).put(entered.detector).take();
}

Entered read_entered(FieldReader& in) {
  const auto stage = in.get<std::uint8_t>();
  if (stage > static_cast<std::uint8_t>(Stage::annotate)) in.refuse();
  auto detector = in.text();
  if (detector.size() > wire::kDetectorBytesMax) in.refuse();
  return {static_cast<Stage>(stage), std::move(detector)};
}

void put(FieldWriter& out, const Vitals& vitals) { out.put(vitals.denied).put(vitals.memory_peak); }
Vitals read_vitals(FieldReader& in) {
  Vitals vitals;
  vitals.denied = in.get<std::uint64_t>();
  vitals.memory_peak = in.get<std::uint64_t>();
  return vitals;
}

std::string encode_one(const Finished& finished) {
  auto out = begin(Word::finished);
  put(out, finished.vitals);
  out.put(static_cast<std::uint32_t>(finished.part_bytes.size()));
  for (const auto bytes : finished.part_bytes) out.put(bytes);
  return out.take();
}

Finished read_finished(FieldReader& in) {
  Finished finished;
  finished.vitals = read_vitals(in);
  const auto count = in.count(kPartsMax);
  for (std::uint32_t i = 0; i < count; ++i) finished.part_bytes.push_back(in.get<std::uint64_t>());
  if (count == 0) in.refuse();
  return finished;
}

std::string encode_one(const Failed& failed) {
  auto out = begin(Word::failed);
  put(out, failed.vitals);
  out.put(failed.reason);
  out.put(std::string_view(failed.text).substr(0, wire::kTextBytesMax));
  return out.take();
}

bool is_of_a_picture(Reason reason) {
  if (reason == Reason::drained) return true;  // what an abandoned order comes back with
  const auto charge = entry(reason).charge;
  return charge == Charge::final || reason == Reason::detector_error;
}

Failed read_failed(FieldReader& in) {
  Failed failed;
  failed.vitals = read_vitals(in);
  const auto reason = in.get<std::uint8_t>();
  failed.text = in.text();
  if (reason < kReasonCount) failed.reason = static_cast<Reason>(reason);
  if (reason >= kReasonCount || !is_of_a_picture(failed.reason)) in.refuse();
  if (failed.text.size() > wire::kTextBytesMax) in.refuse();
  return failed;
}

template <class Variant, class Message>
std::optional<Variant> checked(const FieldReader& in, Message message) {
  if (!in.done()) return std::nullopt;
  return Variant(std::move(message));
}

Word word_of(FieldReader& in) { return static_cast<Word>(in.get<std::uint8_t>()); }

}  // namespace

std::string encode(const ToZygote& message) {
  return std::visit([](const auto& each) { return encode_one(each); }, message);
}
std::string encode(const FromZygote& message) {
  return std::visit([](const auto& each) { return encode_one(each); }, message);
}
std::optional<std::string> encode(const ToChild& message) {
  return std::visit([](const auto& each) { return encode_one(each); }, message);
}
std::string encode(const FromChild& message) {
  return std::visit([](const auto& each) { return encode_one(each); }, message);
}

std::optional<ToZygote> decode_to_zygote(std::string_view bytes) {
  FieldReader in(bytes);
  const Word word = word_of(in);
  if (word == Word::setup) {
    auto setup = read_setup(in);
    return checked<ToZygote>(in, std::move(setup));
  }
  if (word != Word::bear) return std::nullopt;
  const Bear bear{in.get<std::uint64_t>()};
  return checked<ToZygote>(in, bear);
}

std::optional<FromZygote> decode_from_zygote(std::string_view bytes) {
  FieldReader in(bytes);
  const Word word = word_of(in);
  const auto serial = in.get<std::uint64_t>();
  const auto number = in.get<std::int32_t>();
  if (word == Word::born) return checked<FromZygote>(in, Born{serial, number});
  if (word == Word::died) return checked<FromZygote>(in, Died{serial, number});
  return std::nullopt;
}

std::optional<ToChild> decode_to_child(std::string_view bytes) {
  FieldReader in(bytes);
  const Word word = word_of(in);
  if (word == Word::order) {
    auto order = read_order(in);
    return checked<ToChild>(in, std::move(order));
  }
  if (word != Word::abandon) return std::nullopt;
  const Abandon abandon{in.get<std::uint64_t>()};
  return checked<ToChild>(in, abandon);
}

std::optional<FromChild> decode_from_child(std::string_view bytes) {
  FieldReader in(bytes);
  const Word word = word_of(in);
  if (word == Word::ready) return checked<FromChild>(in, Ready{});
  if (word == Word::entered) {
    auto entered = read_entered(in);
    return checked<FromChild>(in, std::move(entered));
  }
  if (word == Word::finished) {
    auto finished = read_finished(in);
    return checked<FromChild>(in, std::move(finished));
  }
  if (word != Word::failed) return std::nullopt;
  auto failed = read_failed(in);
  return checked<FromChild>(in, std::move(failed));
}

}  // namespace framefleet::worker

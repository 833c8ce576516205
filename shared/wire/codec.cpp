#include "shared/wire/codec.hpp"

#include "shared/wire/document.hpp"
#include "shared/wire/fields_connection.hpp"
#include "shared/wire/fields_documents.hpp"
#include "shared/wire/fields_operating.hpp"
#include "shared/wire/fields_storing.hpp"
#include "shared/wire/fields_submitting.hpp"
#include "shared/wire/fields_working.hpp"
#include "shared/wire/reader.hpp"
#include "shared/wire/utf8.hpp"
#include "shared/wire/writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace framefleet::wire {
namespace {

constexpr Range kFrameBytes{};

/// The names of all messages, in the order of the variant.
template <std::size_t... I>
auto message_names(std::index_sequence<I...> /*all*/) {
  return std::array<std::string_view, sizeof...(I)>{name_of(Message{std::in_place_index<I>})...};
}

using ReadMessage = void (*)(Reader&, Message&);

template <std::size_t I>
void read_alternative(Reader& reader, Message& message) {
  fields(reader, message.emplace<I>());
}

template <std::size_t... I>
constexpr auto message_readers(std::index_sequence<I...> /*all*/) {
  return std::array<ReadMessage, sizeof...(I)>{&read_alternative<I>...};
}

using AllMessages = std::make_index_sequence<std::variant_size_v<Message>>;

/// Where `name` stands among the messages; one past the last if nowhere.
std::size_t index_of(std::string_view name) {
  static const auto kNames = message_names(AllMessages{});
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  return static_cast<std::size_t>(found - kNames.begin());
}

}  // namespace

Result<std::string, CodecError> encode(const Message& message,
                                       std::span<const std::uint64_t> frame_bytes) {
  const auto name = name_of(message);
  Trail trail(name);
  if (frame_bytes.size() > kMessageFramesMax) {
    trail.fail(fmt::format("{} payload frames, over {}", frame_bytes.size(), kMessageFramesMax),
               CodecError::Kind::too_large);
    return fail(trail.take_error());
  }
  const std::vector<std::uint64_t> sizes(frame_bytes.begin(), frame_bytes.end());
  Writer writer(trail, kHeaderLimits, frame_bytes);
  writer.map([&] {
    writer.must("type", std::string(name), Text{});
    writer.may("sizes", sizes, ListOf<Range>{kMessageFramesMax, kFrameBytes});
    std::visit([&writer](const auto& value) { fields(writer, value); }, message);
  });
  auto header = writer.finish();
  if (trail.failed()) return fail(trail.take_error());
  return header;
}

Result<Message, CodecError> decode(std::span<const std::byte> header,
                                   std::span<const std::uint64_t> frame_bytes) {
  if (frame_bytes.size() > kMessageFramesMax) {
    return fail(CodecError{
        CodecError::Kind::too_large,
        fmt::format("header: {} payload frames, over {}", frame_bytes.size(), kMessageFramesMax)});
  }
  const auto tape = read_tape(header, kHeaderLimits, "header");
  if (!tape) return fail(tape.error());

  std::string type;
  Trail header_trail("header");
  Reader(header_trail, *tape).must("type", type, Text{});
  if (header_trail.failed()) return fail(header_trail.take_error());
  const auto index = index_of(type);
  if (index == std::variant_size_v<Message>) {
    return fail(CodecError{CodecError::Kind::unknown_type,
                           fmt::format("header.type: no message '{}'", clip_utf8(type, 64))});
  }

  Trail trail(type);
  Reader reader(trail, *tape, frame_bytes);
  std::vector<std::uint64_t> sizes;
  reader.may("sizes", sizes, ListOf<Range>{kMessageFramesMax, kFrameBytes});
  reader.check(std::ranges::equal(sizes, frame_bytes), "sizes", "are not those of the frames");
  Message message;
  static constexpr auto kReaders = message_readers(AllMessages{});
  kReaders.at(index)(reader, message);
  reader.finish();
  if (trail.failed()) return fail(trail.take_error());
  return message;
}

Result<std::string, CodecError> encode_task(const TaskDescription& task) {
  return encode_document(task, "task", kTaskVersions.max, kTaskLimits);
}

Result<TaskDescription, CodecError> decode_task(std::string_view bytes) {
  return decode_document<TaskDescription>(std::as_bytes(std::span(bytes)), "task",
                                          {kTaskVersions.min, kTaskVersions.max}, kTaskLimits);
}

Result<std::string, CodecError> encode_record(const ResultRecord& record) {
  return encode_document(record, "record", kRecordVersionMax, kRecordLimits);
}

Result<ResultRecord, CodecError> decode_record(std::span<const std::byte> bytes) {
  return decode_document<ResultRecord>(bytes, "record", {kRecordVersionMin, kRecordVersionMax},
                                       kRecordLimits);
}

}  // namespace framefleet::wire

#pragma once
// Where pictures come from: files, a video, a synthetic camera, all read through one interface.
//
// Every picture of a source has a sequence number, and the number stays the picture's for as long
// as the source keeps its epoch. Numbers may have holes (files that vanished since an earlier run),
// so a reader walks them:
//
//   for (auto s = source.next_sequence(0); s; s = source.next_sequence(*s + 1)) {
//     auto picture = source.read(*s);
//     if (!picture) …      // the source is broken: picture.error() says how
//     if (!*picture) break;  // the source has ended
//   }
//
// Random access: a picture can be read again (its bytes are then the same), which a resubmission
// after a broker's restart needs. Increasing order is the fast case; going back in a video decodes
// it anew. Memory: one picture. Threads: one at a time. Errors: results; no exception leaves a
// source.

#include "shared/base/result.hpp"
#include "shared/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace framefleet::producer {

struct Picture {
  std::string origin;              ///< For people, valid UTF-8: a path, "a.avi#12".
  std::string bytes;               ///< Encoded (JPEG, PNG, …), untouched as read.
  std::int64_t captured_at_ms{0};  ///< Wall clock (Unix, ms); 0: the source does not know.
  /// Why the bytes could not be read, or empty. Then `bytes` is empty and the task still travels,
  /// to end as failed(unreadable).
  std::string unreadable;
};

/// What came into a source since it was asked last.
struct Growth {
  bool grew{false};     ///< next_sequence() has more.
  bool over{false};     ///< It will not grow any more.
  std::string trouble;  ///< For the log: why it is over, or what is tried again; empty: nothing.
};

/// The side of a source that may get more pictures while it is read.
class Growing {
 public:
  virtual ~Growing();
  /// Readable when there may be something new.
  virtual int fd() const = 0;
  /// When to look although the descriptor says nothing.
  virtual Time look_at() const = 0;
  /// Takes up what is new, a bounded part of it at a time; never waits.
  virtual Growth grow(Time now) = 0;

 protected:
  Growing() = default;
  Growing(const Growing&) = default;
  Growing& operator=(const Growing&) = default;
};

class ImageSource {
 public:
  virtual ~ImageSource();

  /// The source's name on the wire: 1 to 256 bytes of UTF-8.
  virtual const std::string& name() const = 0;
  virtual std::uint32_t epoch() const = 0;
  /// How many pictures next_sequence() walks through, where that is known before the end. Of a
  /// video it is what the file promises, and exact once the end has been read.
  virtual std::optional<std::uint64_t> count() const = 0;
  /// Time between two pictures; 0: as fast as they are accepted.
  virtual Duration interval() const = 0;
  /// The smallest sequence ≥ `from` that this source has, as far as it knows; nothing: no more.
  virtual std::optional<std::uint64_t> next_sequence(std::uint64_t from) const = 0;
  /// Whether read() of this sequence answers soon. False: what takes long is under way, and it is
  /// asked again; no other one is read before. Waits for a tenth of a second at most.
  virtual bool ready(std::uint64_t sequence);
  /// The picture with this sequence; nothing where the source has none (past its end, or a hole).
  virtual Result<std::optional<Picture>, Error> read(std::uint64_t sequence) = 0;
  /// Something a report should mention that is no picture's failure (a video that ends before the
  /// number of frames it promises); empty: nothing.
  virtual std::string remark() const;
  /// It ended before its end: pictures that it may have had were never seen.
  virtual bool broke_off() const;
  /// Null: it has what it has.
  virtual Growing* growing();

 protected:
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
};

}  // namespace framefleet::producer

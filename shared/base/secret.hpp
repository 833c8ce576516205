#pragma once
// Texts that nobody may read in a log, a metric, an error or on a command line: the URLs of cameras
// and what stands in them. A Secret shows itself only as `redacted()`; who wants the text itself
// says `reveal()`, and such places are few and easy to find.
//
//   rtsp://admin:geheim@10.0.0.7/live?token=1   is shown as   rtsp://***@10.0.0.7/live?***
//
// A Scrubber blots a secret out of what others wrote (FFmpeg repeats URLs in its errors): the
// whole, the user, the password, the values of the query, in plain text, percent-encoded (wholly,
// partly, twice) or in the Base64 of HTTP's Basic authentication, also where such a text is cut off
// at its end.
// Plain values, no I/O. Threads: one per object.

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace framefleet {

class Secret {
 public:
  Secret() = default;
  /// `parts`: texts inside `text` that are secret wherever they stand (they came from files).
  explicit Secret(std::string text, std::vector<std::string> parts = {})
      : text_(std::move(text)), parts_(std::move(parts)) {}

  const std::string& reveal() const { return text_; }
  const std::vector<std::string>& parts() const { return parts_; }
  bool empty() const { return text_.empty(); }
  /// For people: its parts as "***", then as redacted_url().
  std::string redacted() const;

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string text_;
  std::vector<std::string> parts_;
};

/// Writes `redacted()`.
std::ostream& operator<<(std::ostream& out, const Secret& secret);

/// Of a URL: what names a user or a password as "***", which is all before the "@" of the
/// authority, the query, and the path from its first segment that has a "=" on. A text that is no
/// URL is answered as it is.
std::string redacted_url(std::string_view url);

/// `text` with every byte that means something in a URL as %XX (RFC 3986: all but letters, digits,
/// and -._~).
std::string percent_encoded(std::string_view text);
/// Every %XX as its byte; what is no such thing stays.
std::string percent_decoded(std::string_view text);

class Scrubber {
 public:
  Scrubber() = default;
  explicit Scrubber(const Secret& secret) { add(secret); }
  /// Knows this secret too.
  void add(const Secret& secret);

  /// `text` with everything secret as "***". User info in a URL is blotted out even where it is of
  /// no secret known here.
  std::string scrubbed(std::string_view text) const;

 private:
  struct Needle {
    std::string text;
    bool whole_word;  // "admin" is blotted out, not the start of "administrator"
  };
  void add(std::string text, bool whole_word);
  void add_user_info(std::string_view user_info);
  std::size_t match(std::string_view text, std::size_t at) const;

  std::vector<Needle> needles_;
};

}  // namespace framefleet

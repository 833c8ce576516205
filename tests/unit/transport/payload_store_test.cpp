#include "shared/transport/payload_store.hpp"

#include "tests/support/catch.hpp"

#include <string>
#include <vector>

using namespace framefleet;
using transport::Frame;
using transport::PayloadStore;

namespace {

constexpr std::size_t kSharedBufferBytes = 8192;

}  // namespace

TEST_CASE("a large frame is shared, never copied: by copying it, detaching it, storing it") {
  std::string bytes(kSharedBufferBytes, 'x');
  const auto* address = bytes.data();
  const auto frame = Frame::of(std::move(bytes));
  CHECK(frame.text().data() == address);
  const Frame copy = frame;  // NOLINT(performance-unnecessary-copy-initialization): it is the test
  CHECK(copy.text().data() == address);
  CHECK(frame.detached().text().data() == address);
  PayloadStore store;
  const auto payload = store.put({frame});
  CHECK(store.frames(payload.id).front().text().data() == address);
}

TEST_CASE("a small frame is detached from the buffer that it shares with its neighbours") {
  const auto frame = Frame::of(std::string(kSharedBufferBytes - 1, 'x'));
  const auto detached = frame.detached();
  CHECK(detached.text() == frame.text());
  CHECK(detached.text().data() != frame.text().data());
}

TEST_CASE("a frame outlives the store it was in") {
  Frame frame;
  CHECK(frame.size() == 0);
  CHECK(frame.bytes().empty());
  {
    PayloadStore store;
    const auto payload = store.put({Frame::of("kept")});
    frame = store.frames(payload.id).front();
    store.release(payload.id);
  }
  CHECK(frame.text() == "kept");
}

TEST_CASE("a payload store counts what it holds until it is released") {
  PayloadStore store;
  const auto one = store.put({Frame::of("abc"), Frame::of("")});
  const auto two = store.put({Frame::of("defg")});
  CHECK(one.id != two.id);
  CHECK(one.frames == 2);
  CHECK(one.bytes == 3);
  CHECK(store.count() == 2);
  CHECK(store.bytes() == 7);
  store.release(one.id);
  CHECK(store.count() == 1);
  CHECK(store.bytes() == 4);
  CHECK(store.frames(two.id).front().text() == "defg");
}

TEST_CASE("no frames are no payload: id 0, nothing held") {
  PayloadStore store;
  CHECK(store.put({}) == Payload{});
  CHECK(store.count() == 0);
  CHECK(store.frames(PayloadId{}).empty());
}

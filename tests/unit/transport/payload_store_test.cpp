#include "shared/transport/payload_store.hpp"

#include "tests/support/catch.hpp"

#include <zmq.hpp>

#include <set>
#include <string>
#include <vector>

using namespace framefleet;
using transport::Frame;
using transport::PayloadStore;

namespace {

constexpr std::size_t kSharedBufferBytes = 8192;

}  // namespace

TEST_CASE("a large frame is shared, never copied: by copying it, receiving it, storing it") {
  std::string bytes(kSharedBufferBytes, 'x');
  const auto* address = bytes.data();
  const auto frame = Frame::of(std::move(bytes));
  CHECK(frame.text().data() == address);
  const Frame copy = frame;  // NOLINT(performance-unnecessary-copy-initialization): it is the test
  CHECK(copy.text().data() == address);
  PayloadStore store;
  const auto payload = store.put(frame);
  CHECK(store.frames(payload.id).front().text().data() == address);
  zmq::message_t message(kSharedBufferBytes);
  const auto* const received_at = message.data();
  CHECK(Frame::of(std::move(message)).bytes().data() == received_at);
}

TEST_CASE("a small frame is detached from the buffer that it shares with its neighbours") {
  zmq::message_t message(std::string(kSharedBufferBytes - 1, 'x'));
  const auto* const received_at = message.data();
  const auto frame = Frame::of(std::move(message));
  CHECK(frame.text() == std::string(kSharedBufferBytes - 1, 'x'));
  CHECK(frame.bytes().data() != received_at);
}

TEST_CASE("frames are copied, assigned and let go in any order") {
  auto first = Frame::of("first");
  Frame second = first;
  first = Frame::of(std::string(kSharedBufferBytes, 'x'));
  CHECK(second.text() == "first");
  second = first;
  first = {};
  CHECK(first.size() == 0);
  CHECK(second.size() == kSharedBufferBytes);
}

TEST_CASE("a frame outlives the store it was in") {
  Frame frame;
  CHECK(frame.size() == 0);
  CHECK(frame.bytes().empty());
  {
    PayloadStore store;
    const auto payload = store.put(Frame::of("kept"));
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

TEST_CASE("the room of a payload is used again, its id is not") {
  PayloadStore store;
  const auto kept = store.put(Frame::of("kept"));
  std::set<PayloadId> ids{kept.id};
  for (int i = 0; i < 100; ++i) {
    const auto one = store.put(Frame::of("one"));
    const auto two = store.put({Frame::of("a"), Frame::of("b")});
    CHECK(ids.insert(one.id).second);
    CHECK(ids.insert(two.id).second);
    CHECK(store.frames(one.id).front().text() == "one");
    CHECK(store.frames(two.id).back().text() == "b");
    store.release(i % 2 == 0 ? one.id : two.id);
    store.release(i % 2 == 0 ? two.id : one.id);
  }
  CHECK(store.count() == 1);
  CHECK(store.frames(kept.id).front().text() == "kept");
}

TEST_CASE("no frames are no payload: id 0, nothing held") {
  PayloadStore store;
  CHECK(store.put(std::vector<Frame>{}) == Payload{});
  CHECK(store.count() == 0);
  CHECK(store.frames(PayloadId{}).empty());
}

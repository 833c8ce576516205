// Rivals whose client library was not there when this program was built.

#include <stdexcept>
#include <utility>

#include "bench/fleet/rival.hpp"

namespace framefleet::bench {
namespace {

class Absent final : public Rival {
 public:
  Absent(std::string name, std::string package)
      : name_(std::move(name)), package_(std::move(package)) {}
  std::string name() const override { return name_; }
  std::string absence() const override {
    return "this program was built without its library (Debian: " + package_ + ")";
  }
  std::string endpoint(const Place&) const override { return {}; }
  std::unique_ptr<Sender> sender(const Order&) const override { never(); }
  std::unique_ptr<Station> station(const Order&) const override { never(); }
  std::unique_ptr<Collector> collector(const Order&) const override { never(); }

 private:
  [[noreturn]] void never() const { throw std::runtime_error(name_ + ": " + absence()); }

  std::string name_;
  std::string package_;
};

}  // namespace

#ifndef FRAMEFLEET_WITH_HIREDIS
std::unique_ptr<Rival> make_redis() {
  return std::make_unique<Absent>("redis", "libhiredis-dev redis-server");
}
#endif

#ifndef FRAMEFLEET_WITH_RABBITMQ
std::unique_ptr<Rival> make_rabbitmq() {
  return std::make_unique<Absent>("rabbitmq", "librabbitmq-dev rabbitmq-server");
}
#endif

}  // namespace framefleet::bench

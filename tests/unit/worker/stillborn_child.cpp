// A program whose children end before they are ready: a machine on which none can be started.

#include "worker/pool/zygote.hpp"

int main(int argc, char** argv) {
  using namespace framefleet;
  const auto stillborn = [](worker::Birthright&) -> int { return exit_code::kInternal; };
  return worker::run_as_zygote(argc, argv, stillborn).value_or(exit_code::kUsage);
}

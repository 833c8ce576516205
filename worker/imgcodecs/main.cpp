// framefleet-worker-imgcodecs: the zygote of the worker's second kind of child, which can decode
// BMP and TIFF too. Started by framefleet-worker where `--formats` has one of them, and by nobody
// else. Exit codes: 0; 64 started by hand.

#include "worker/imgcodecs/imgcodecs_decoder.hpp"
#include "worker/pool/zygote.hpp"

#include <opencv2/core/utils/logger.hpp>

#include <cstdio>
#include <iostream>

int main(int argc, char** argv) {
  using namespace framefleet;
  // What a picture makes imgcodecs say goes into the task's outcome or nowhere: no stranger writes
  // the worker's log.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  std::cerr.setstate(std::ios::badbit);
  if (const auto ended =
          worker::run_as_zygote(argc, argv, worker::work_orders, worker::decode_by_imgcodecs)) {
    return *ended;
  }
  std::fputs(
      "framefleet-worker-imgcodecs: started by framefleet-worker --formats ...,bmp,tiff alone\n",
      stderr);
  return exit_code::kUsage;
}

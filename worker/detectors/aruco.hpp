#pragma once
// Square markers, drawn and found, in one way for two libraries: OpenCV moved ArUco from its aruco
// module (4.6, Debian 12) into objdetect and renamed it (4.7 and newer, Debian 13). Internal to
// worker/detectors. Dictionaries are OpenCV's DICT_ numbers; errors are OpenCV's exceptions.

#include <opencv2/core.hpp>
#if __has_include(<opencv2/objdetect/aruco_detector.hpp>)
#include <opencv2/objdetect/aruco_detector.hpp>
#define FRAMEFLEET_ARUCO_IN_OBJDETECT
#else
#include <opencv2/aruco.hpp>
#endif

#include <vector>

namespace framefleet::worker {

using MarkerQuad = std::vector<cv::Point2f>;

/// Finds markers of one dictionary, with OpenCV's default parameters. `find` replaces what is in
/// its vectors by the four corners of each marker, clockwise from its own top left, and by its
/// number. One thread at a time.
class MarkerFinder {
 public:
#ifdef FRAMEFLEET_ARUCO_IN_OBJDETECT
  explicit MarkerFinder(int dictionary)
      : detector_(cv::aruco::getPredefinedDictionary(dictionary)) {}

  void find(const cv::Mat& picture, std::vector<MarkerQuad>& quads, std::vector<int>& ids) const {
    detector_.detectMarkers(picture, quads, ids);
  }

 private:
  cv::aruco::ArucoDetector detector_;
#else
  explicit MarkerFinder(int dictionary)
      : dictionary_(cv::aruco::getPredefinedDictionary(dictionary)),
        parameters_(cv::aruco::DetectorParameters::create()) {}

  void find(const cv::Mat& picture, std::vector<MarkerQuad>& quads, std::vector<int>& ids) const {
    cv::aruco::detectMarkers(picture, dictionary_, quads, ids, parameters_);
  }

 private:
  cv::Ptr<cv::aruco::Dictionary> dictionary_;
  cv::Ptr<cv::aruco::DetectorParameters> parameters_;
#endif
};

/// A marker without its white border, grey, `side` pixels high and wide.
inline cv::Mat drawn_marker(int dictionary, int id, int side) {
  cv::Mat marker;
  const auto markers = cv::aruco::getPredefinedDictionary(dictionary);
#ifdef FRAMEFLEET_ARUCO_IN_OBJDETECT
  cv::aruco::generateImageMarker(markers, id, side, marker);
#else
  cv::aruco::drawMarker(markers, id, side, marker);
#endif
  return marker;
}

}  // namespace framefleet::worker

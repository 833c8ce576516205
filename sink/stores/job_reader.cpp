#include "sink/stores/job_reader.hpp"

#include "sink/stores/database.hpp"
#include "sink/stores/schema.hpp"
#include "sink/stores/text.hpp"

#include <utility>

namespace framefleet::sink {

struct JobReader::Parts {
  Parts(std::filesystem::path path, std::unique_ptr<Database> opened, JobFilter chosen)
      : file(std::move(path)), database(std::move(opened)), filter(std::move(chosen)) {}

  tl::unexpected<Error> failed() const { return fail(unreadable(file, database->error())); }
  bool read_detections(Statement& rows, StoredPicture& picture) const;

  std::filesystem::path file;
  std::unique_ptr<Database> database;
  JobFilter filter;
};

namespace {

StoredPicture picture_of(const Statement& row) {
  StoredPicture picture;
  picture.id = row.integer(0);
  picture.task = row.text(1);
  picture.sequence = static_cast<std::uint64_t>(row.integer(2));
  picture.origin = row.text(3);
  picture.stem = picture_stem(picture.origin);
  picture.status = row.text(4);
  picture.reason = row.text(5);
  picture.text = row.text(6);
  picture.width = static_cast<std::uint64_t>(row.integer(7));
  picture.height = static_cast<std::uint64_t>(row.integer(8));
  picture.damaged = row.integer(9) != 0;
  picture.pruned = row.integer(10) != 0;
  picture.revived = !row.is_null(11);
  return picture;
}

}  // namespace

/// A detector that found nothing has one row without a detection.
bool JobReader::Parts::read_detections(Statement& rows, StoredPicture& picture) const {
  if (!rows.start(picture.id, filter.detector)) return false;
  while (rows.next()) {
    picture.looked = true;
    if (rows.is_null(0)) continue;
    picture.detections.push_back({rows.integer(0), std::string(rows.text(1)), rows.real(2),
                                  rows.real(3), rows.real(4), rows.real(5), rows.real(6)});
  }
  const bool done = !rows.failed();
  rows.reset();
  return done;
}

JobReader::JobReader(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
JobReader::~JobReader() = default;

Result<std::unique_ptr<JobReader>, Error> JobReader::open(const std::filesystem::path& database,
                                                          JobFilter filter) {
  auto opened = open_to_read(database);
  if (!opened) return fail(opened.error());
  auto parts = std::make_unique<Parts>(database, std::move(*opened), std::move(filter));
  // The transaction begins with the first read in it.
  if (!parts->database->execute("BEGIN") ||
      !parts->database->number("SELECT count(*) FROM outcomes WHERE id = 0")) {
    return parts->failed();
  }
  return std::unique_ptr<JobReader>(new JobReader(std::move(parts)));
}

Result<std::vector<std::string>, Error> JobReader::labels() {
  Statement rows(*parts_->database,
                 "SELECT DISTINCT d.label FROM outcomes o "
                 "JOIN detector_run_rows r ON r.outcome = o.id "
                 "JOIN detection_rows d ON d.run = r.id "
                 "WHERE (?1 = '' OR o.job = ?1) AND (?2 = '' OR r.detector = ?2) "
                 "AND o.status = 'ok' AND NOT o.pruned ORDER BY d.label");
  if (!rows.start(parts_->filter.job, parts_->filter.detector)) return parts_->failed();
  std::vector<std::string> labels;
  while (rows.next()) labels.emplace_back(rows.text(0));
  if (rows.failed()) return parts_->failed();
  return labels;
}

Result<void, Error> JobReader::each(const Visitor& visit) {
  Statement outcomes(*parts_->database,
                     "SELECT id, task, sequence, origin, status, reason, text, width, height, "
                     "damaged, pruned, revived_as FROM outcomes "
                     "WHERE ?1 = '' OR job = ?1 ORDER BY id");
  Statement detections(*parts_->database,
                       "SELECT d.id, d.label, d.score, d.x, d.y, d.width, d.height "
                       "FROM detector_run_rows r LEFT JOIN detection_rows d ON d.run = r.id "
                       "WHERE r.outcome = ?1 AND (?2 = '' OR r.detector = ?2) ORDER BY d.id");
  if (!outcomes.start(parts_->filter.job)) return parts_->failed();
  while (outcomes.next()) {
    StoredPicture picture = picture_of(outcomes);
    if (!parts_->read_detections(detections, picture)) return parts_->failed();
    if (auto visited = visit(picture); !visited) return visited;
  }
  return outcomes.failed() ? Result<void, Error>(parts_->failed()) : Result<void, Error>{};
}

Result<std::uint64_t, Error> JobReader::frames_in_gaps() {
  Statement gaps(*parts_->database,
                 "SELECT coalesce(sum(last - first + 1), 0) FROM gaps WHERE ?1 = '' OR job = ?1");
  if (!gaps.start(parts_->filter.job) || !gaps.next()) return parts_->failed();
  return static_cast<std::uint64_t>(gaps.integer(0));
}

}  // namespace framefleet::sink

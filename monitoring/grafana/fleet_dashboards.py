"""The four dashboards: what is on them. How Grafana spells it is panels.py's."""
from panels import ALARM, GREEN, RED, YELLOW, dashboard, graph, number, row, table, variable

RATE = "[$__rate_interval]"


def p95(metric, by=()):
    """How long 95 of 100 took, at most; no row where none was. `metric` may have a selector."""
    name, brace, selector = metric.partition("{")
    labels = ", ".join((*by, "le"))
    return (f"histogram_quantile(0.95, sum by ({labels})"
            f" (rate({name}_bucket{brace}{selector}{RATE}))) > 0")


def fleet():
    panels = [
        number("Alerts", "Alerts that fire now; 0 is all is well. What each of them means and what"
               " to do stands in docs/OPERATIONS.md.", "none",
               'count(ALERTS{alertstate="firing", alertname=~"Framefleet.*"}) or vector(0)', ALARM),
        number("Pictures done", "Pictures that ended ok, per second.", "ops",
               f'sum(rate(framefleet_broker_ended_tasks_total{{status="ok"}}{RATE}))'),
        number("Failed or lost", "In the time that is shown: dead letters, and tasks that were lost"
               " with a broker's memory.", "none",
               'sum(increase(framefleet_broker_ended_tasks_total{status=~"failed|lost"}'
               '[$__range]))', ((0, GREEN), (1, YELLOW), (100, RED))),
        number("Waiting", "Tasks that wait for a worker, or to be tried again.", "none",
               'sum(framefleet_broker_tasks{state=~"ready|delayed"})'),
        number("Oldest waits", "How long the task has waited that has waited longest.", "s",
               "max(framefleet_broker_oldest_ready_seconds)",
               ((0, GREEN), (60, YELLOW), (900, RED))),
        number("Slots in use", "Tasks at work for each slot. More than 100 % are tasks handed out"
               " ahead. Steadily at 100 % with tasks waiting: add workers.", "percentunit",
               'sum(framefleet_broker_tasks{state="leased"}) / (sum(framefleet_broker_slots) > 0)'),
        graph("Offered and done", "What was submitted, and what ended, by how. A fleet that keeps"
              " up"
              " has both lines at the same height.", "ops",
              (f"sum(rate(framefleet_broker_submitted_tasks_total{RATE}))", "submitted"),
              (f"sum by (status) (rate(framefleet_broker_ended_tasks_total{RATE})) > 0",
               "{{status}}")),
        graph("In progress", "Tasks between their admission and the store, by where they are.",
              "none", ("sum by (state) (framefleet_broker_tasks)", "{{state}}"), stack=True),
        graph("What is not done, and why", "Ends other than ok, and answers that turned a submit"
              " away. Superseded frames of a live source are no fault: a newer one was there.",
              "ops",
              (f'sum by (status, reason) (rate(framefleet_broker_ended_tasks_total{{status!="ok"}}'
               f"{RATE})) > 0", "{{status}}: {{reason}}"),
              (f"sum by (reason) (rate(framefleet_broker_rejected_answers_total{RATE})) > 0",
               "rejected: {{reason}}"),
              (f"sum by (reason) (rate(framefleet_broker_busy_answers_total{RATE})) > 0",
               "busy: {{reason}}")),
        graph("How fresh live frames are", "Age of a live frame when it is handed to a worker,"
              " since"
              " the broker got it: 95 of 100 are not older. The ten oldest sources.", "s",
              ("topk(10, " + p95("framefleet_broker_live_age_seconds", ("source",)) + ")",
               "{{source}}"), steps=((0, GREEN), (2, RED))),
        graph("How long each stage takes", "95 of 100 pictures do not take longer. End to end is"
              " from the reading of a picture to the word that its outcome is stored.", "s",
              (p95("framefleet_producer_read_seconds"), "capture"),
              (p95("framefleet_producer_submit_seconds"), "submit"),
              (p95("framefleet_broker_queued_seconds"), "wait for a worker"),
              (p95("framefleet_broker_transfer_seconds"), "transfer"),
              (p95("framefleet_worker_decode_seconds"), "decode"),
              (p95("framefleet_worker_detect_seconds"), "detect"),
              (p95("framefleet_broker_storing_seconds"), "store"),
              (p95("framefleet_producer_task_seconds"), "end to end"), log=True),
        graph("Workers", "Workers by state, and their slots. Not ready: a self-test is under way,"
              " or"
              " fails.", "none",
              ("sum by (state) (framefleet_broker_workers)", "{{state}}"),
              ("sum(framefleet_broker_slots)", "slots"),
              ("sum(framefleet_broker_free_slots)", "free slots")),
        graph("Attempts that came to nothing", "Hand-outs that ended without a result, by reason."
              " Drained ones began nowhere and are not charged.", "ops",
              (f'sum by (reason) (rate(framefleet_broker_closed_leases_total{{reason!="none"}}'
               f"{RATE})) > 0", "{{reason}}")),
        graph("CPU", "Of every process itself, in CPUs. What a worker's child processes use is on"
              " the dashboard Workers, Where the time goes.", "none",
              (f"rate(process_cpu_seconds_total{{job=~\"framefleet.*\"}}{RATE})",
               "{{job}} {{instance}}"), stack=True),
        graph("Memory", "Resident, of every process. A worker's children are on the dashboard"
              " Workers.", "bytes",
              ('process_resident_memory_bytes{job=~"framefleet.*"}', "{{job}} {{instance}}"),
              stack=True),
    ]
    return dashboard("framefleet-fleet", "Fleet", "Is it healthy, does it keep up, what is lost and"
                     " why, how fresh are the live sources, how long does each stage take.", panels)


def sources():
    of = '{source=~"$source"}'
    panels = [
        number("Producers", "Producers connected to the broker.", "none",
               "sum(framefleet_broker_producers)"),
        number("Sources", "Sources whose producers are connected.", "none",
               'sum(framefleet_broker_sources{state="connected"})'),
        number("Longest silence", "How long the live source has had no frame that has had none for"
               " longest.", "s", f"max(framefleet_broker_live_source_silent_seconds{of})",
               ((0, GREEN), (10, YELLOW), (30, RED))),
        number("Skipped", "Live frames per second that a newer one replaced before they were"
               " submitted: the cameras are faster than the fleet.", "ops",
               f"sum(rate(framefleet_producer_skipped_pictures_total{RATE}))"),
        number("Held by producers", "Bytes of pictures that producers have read and not handed"
               " over.", "bytes", "sum(framefleet_producer_held_bytes)"),
        number("Rejected", "Tasks that were rejected, in the time that is shown.", "none",
               "sum(increase(framefleet_broker_rejected_tasks_total[$__range]))",
               ((0, GREEN), (1, YELLOW))),
        row("By source"),
        graph("Submitted", "Tasks admitted or rejected, by source.", "ops",
              (f"sum by (source) (rate(framefleet_broker_submitted_tasks_total{of}{RATE}))",
               "{{source}}"), width=12),
        graph("Ended", "By source and how. Superseded: a newer frame was there before a worker was"
              " free.", "ops",
              (f"sum by (source, status) (rate(framefleet_broker_settled_tasks_total{of}{RATE}))"
               " > 0", "{{source}} {{status}}"), width=12),
        graph("Age of live frames", "When they are handed to a worker, since the broker got them:"
              " 95"
              " of 100 are not older.", "s",
              (p95("framefleet_broker_live_age_seconds" + of, ("source",)), "{{source}}"), width=12,
              steps=((0, GREEN), (2, RED))),
        graph("Silence", "How long ago a live source had its latest frame. A camera that hangs"
              " rises"
              " without end.", "s",
              (f"framefleet_broker_live_source_silent_seconds{of}", "{{source}}"), width=12,
              steps=((0, GREEN), (30, RED))),
        row("Cameras"),
        number("Streaming", "Cameras that give frames.", "none",
               f"sum(framefleet_producer_camera_up{of})"),
        number("Down", "Cameras that give none: `framefleet sources` says why.", "none",
               f"count(framefleet_producer_camera_up{of}) -"
               f" sum(framefleet_producer_camera_up{of})", ((0, GREEN), (1, RED))),
        graph("Cameras", "1 while a camera gives frames.", "none",
              (f"framefleet_producer_camera_up{of}", "{{source}}")),
        graph("Pictures of cameras", "Given by the camera; kept back because nothing moved;"
              " replaced by a newer one before the fleet had room.", "ops",
              (f"sum by (source) (rate(framefleet_producer_camera_pictures_total{of}{RATE}))",
               "{{source}} given"),
              (f"sum by (source) (rate(framefleet_producer_camera_gated_pictures_total{of}{RATE}))"
               " > 0", "{{source}} gated"),
              (f"sum by (source) (rate(framefleet_producer_camera_replaced_frames_total{of}{RATE}))"
               " > 0", "{{source}} replaced")),
        graph("Starts", "Capture processes started: a camera that comes and goes has many.", "ops",
              (f"sum by (source) (rate(framefleet_producer_camera_starts_total{of}{RATE})) > 0",
               "{{source}}")),
        row("By producer"),
        graph("Reading", "How long a producer reads one picture: 95 of 100 do not take longer.",
              "s",
              (p95("framefleet_producer_read_seconds", ("instance",)), "{{instance}}")),
        graph("Submitting", "From a picture read to the word that it is admitted, or has ended"
              " already. It waits here while the broker is busy.", "s",
              (p95("framefleet_producer_submit_seconds", ("instance",)), "{{instance}}")),
        graph("End to end", "From a picture read to the word that its outcome is stored.", "s",
              (p95("framefleet_producer_task_seconds", ("instance",)), "{{instance}}")),
        graph("Not submitted", "Skipped: a newer frame took its place. Busy: the broker asked to"
              " wait.", "ops",
              (f"sum by (instance) (rate(framefleet_producer_skipped_pictures_total{RATE}))",
               "{{instance}} skipped"),
              (f"sum by (instance) (rate(framefleet_producer_busy_answers_total{RATE}))",
               "{{instance}} busy")),
        graph("In flight", "Pictures read and not yet confirmed. At the window (64 of a folder) the"
              " producer waits for the fleet.", "none",
              ("framefleet_producer_in_flight_tasks", "{{instance}}")),
        graph("Sources of producers", "Reading: there may be more pictures. Ended: all are"
              " submitted.", "none",
              ("sum by (instance, state) (framefleet_producer_sources)", "{{instance}} {{state}}")),
    ]
    return dashboard("framefleet-sources", "Sources", "What each source offers, what becomes of it"
                     " and how fresh it is.", panels,
                     (variable("source", "Source", "framefleet_broker_submitted_tasks_total",
                               "source"),))


def workers():
    of = '{instance=~"$instance"}'
    panels = [
        number("Ready", "Workers that take tasks.", "none",
               'sum(framefleet_broker_workers{state="ready"})', ((0, RED), (1, GREEN))),
        number("Not ready", "Workers whose self-test is under way, or fails.", "none",
               'sum(framefleet_broker_workers{state="not_ready"})', ((0, GREEN), (1, YELLOW))),
        number("Draining", "Workers that finish what they have, to leave.", "none",
               'sum(framefleet_broker_workers{state="draining"})'),
        number("Free slots", "Slots without a task.", "none", "sum(framefleet_broker_free_slots)"),
        number("Lost", "Workers that were gone without a goodbye, in the time that is shown.",
               "none",
               "sum(increase(framefleet_broker_lost_workers_total[$__range]))",
               ((0, GREEN), (1, YELLOW), (4, RED))),
        number("Suspects", "Tasks that workers died with, to be tried alone.", "none",
               "sum(framefleet_broker_suspect_tasks)", ((0, GREEN), (1, YELLOW))),
        row("What they do"),
        graph("Needed and there", "How many workers what is offered and what waits would keep busy,"
              " and how many there are and do not leave.", "none",
              ("sum(framefleet_broker_desired_workers)", "needed"),
              ('sum(framefleet_broker_workers{state!="draining"})', "there")),
        graph("Results", "Per second and worker.", "ops",
              (f"rate(framefleet_worker_results_total{of}{RATE})", "{{instance}}"), stack=True),
        graph("Slots in use", "Running tasks for each slot of a worker.", "percentunit",
              ('sum by (instance) (framefleet_worker_tasks{state="running", instance=~"$instance"})'
               f" / sum by (instance) (framefleet_worker_slots{of})", "{{instance}}")),
        graph("Tasks in their hands", "Queued: handed out ahead. Abandoned: still run, not wanted"
              " any"
              " more. Unsettled: the result waits for the sink.", "none",
              (f"sum by (state) (framefleet_worker_tasks{of})", "{{state}}"), stack=True),
        graph("Detectors", "How long one picture takes, by detector: 95 of 100 do not take longer."
              " Detectors that were not used have no line.", "s",
              (p95("framefleet_worker_detect_seconds" + of, ("detector",)), "{{detector}}"),
              log=True),
        graph("Decoding and drawing", "Image gate and decoder; drawing and encoding, where pictures"
              " are annotated.", "s", (p95("framefleet_worker_decode_seconds" + of), "decode"),
              (p95("framefleet_worker_annotate_seconds" + of), "annotate"), log=True),
        graph("Where the time goes", "Seconds of work per second, by detector, and of decoding.",
              "none",
              (f"sum by (detector) (rate(framefleet_worker_detect_seconds_sum{of}{RATE})) > 0",
               "{{detector}}"),
              (f"sum(rate(framefleet_worker_decode_seconds_sum{of}{RATE}))", "decode"), stack=True),
        row("What goes wrong"),
        graph("Tasks given back", "By reason.", "ops",
              (f"sum by (reason) (rate(framefleet_worker_failed_tasks_total{of}{RATE})) > 0",
               "{{reason}}")),
        graph("Child processes that ended", "By reason; each was replaced. Killed: from outside,"
              " most"
              " often for want of memory.", "ops",
              (f"sum by (reason) (rate(framefleet_worker_ended_child_processes_total{of}{RATE}))"
              " > 0",
               "{{reason}}")),
        table("Self-tests", "1: this worker gives wrong answers with this detector and format,"
              " and is"
              " given no task. Its log says what was expected and found.", "none",
              f"framefleet_worker_self_test_failed{of}", ("instance", "detector", "format"),
              steps=ALARM),
        graph("Memory of child processes", "All of a worker's together, in the mean; and the most"
              " that one of them has had.", "bytes",
              (f"framefleet_worker_child_memory_bytes{of} * framefleet_worker_child_processes{of}",
               "{{instance}} in all"),
              (f"framefleet_worker_child_memory_peak_bytes{of}", "{{instance}} largest")),
        graph("Connections", "1 while the worker is connected to the broker; and losses per"
              " second.", "none", (f"framefleet_worker_link_up{of}", "{{instance}}"),
              (f"sum(rate(framefleet_worker_link_losses_total{of}{RATE}))", "losses per second")),
        graph("Damaged pictures and refused calls", "Pictures decoded as far as they went; system"
              " calls that the sandbox refused to child processes.", "ops",
              (f"sum(rate(framefleet_worker_damaged_pictures_total{of}{RATE}))",
              "damaged pictures"),
              (f"sum(rate(framefleet_worker_denied_system_calls_total{of}{RATE}))",
               "refused calls")),
    ]
    return dashboard("framefleet-workers", "Workers", "Who works, how quickly, and what goes"
    " wrong.",
                     panels, (variable("instance", "Worker", "framefleet_worker_slots",
                                       "instance"),))


def sink_and_journal():
    panels = [
        number("Sink", "Whether a sink is in service. Without one nothing is handed out.", "none",
               "min(framefleet_broker_sink_connected)", ((0, RED), (1, GREEN)),
               words={0: "away", 1: "in service"}),
        number("Store", "Whether the store waits for space on its disk.", "none",
               "max(framefleet_sink_store_blocked)", ALARM, words={0: "stores", 1: "disk full"}),
        number("Dead letters", "Failed outcomes that the store keeps.", "none",
               "sum(framefleet_sink_dead_letters)"),
        number("Database", "Pages of the database in use.", "bytes",
               "sum(framefleet_sink_database_bytes)"),
        number("Write-ahead log", "Copied into the database beyond 4 MiB, unless a reader holds it"
               " up.", "bytes", "max(framefleet_sink_wal_bytes)",
               ((0, GREEN), (16 << 20, YELLOW), (64 << 20, RED))),
        number("Journal in use", "Of its file, by what is alive. At 85 % producers are told to"
               " wait. Empty without a journal.", "percentunit",
               "max(framefleet_broker_journal_used_bytes / (framefleet_broker_journal_bytes > 0))",
               ((0, GREEN), (0.5, YELLOW), (0.7, RED))),
        row("Sink"),
        graph("Outcomes", "Stored: for the first time. Duplicates were stored before; the first one"
              " stands.", "ops",
              (f"sum(rate(framefleet_sink_stored_outcomes_total{RATE}))", "stored"),
              (f"sum(rate(framefleet_sink_duplicate_outcomes_total{RATE}))", "duplicates"),
              (f"sum(rate(framefleet_sink_commits_total{RATE}))", "commits")),
        graph("How long storing takes", "Of one commit in the sink; and from the end of a task to"
              " the"
              " word that it is stored. 95 of 100 do not take longer.", "s",
              (p95("framefleet_sink_commit_seconds"), "commit"),
              (p95("framefleet_broker_storing_seconds"), "end to stored"), log=True,
              steps=((0, GREEN), (5, RED))),
        graph("Waiting for the sink", "Outcomes in the broker, and in the sink before the store has"
              " them. At the cap nothing is handed out.", "bytes",
              ("sum(framefleet_broker_unstored_bytes)", "in the broker"),
              ("sum(framefleet_broker_unstored_max_bytes)", "cap of the broker"),
              ("sum(framefleet_sink_waiting_bytes)", "in the sink")),
        graph("What the store keeps", "Database with the pictures of dead letters, files of"
              " pictures,"
              " write-ahead log.", "bytes",
              ("sum(framefleet_sink_database_bytes)", "database"),
              ("sum(framefleet_sink_dead_letter_bytes)", "of these dead letters"),
              ("sum(framefleet_sink_picture_bytes)", "pictures"),
              ("sum(framefleet_sink_wal_bytes)", "write-ahead log")),
        graph("Behind", "Outcomes not yet given to the store, and those that results.ndjson still"
              " lacks.", "none", ("sum(framefleet_sink_waiting_outcomes)", "waiting"),
              ("sum(framefleet_sink_ndjson_behind_outcomes)", "results.ndjson")),
        graph("Broker and store", "Tasks settled by the broker less outcomes stored by the sink,"
              " over"
              " half an hour. 0 but for what lies between two scrapes.", "none",
              ("abs(framefleet:ledger_gap_tasks)", "difference")),
        row("Journal of the broker"),
        graph("Journal in use", "Bytes of its file by what is alive, and its size.", "bytes",
              ("sum(framefleet_broker_journal_used_bytes)", "in use"),
              ("sum(framefleet_broker_journal_bytes)", "size"),
              ("sum(framefleet_broker_journal_waiting_bytes)", "not on the disk yet")),
        graph("Tasks in the journal", "Those that a broker would go on with.", "none",
              ("sum(framefleet_broker_journal_tasks)", "tasks")),
        graph("Commits", "How long one commit to the disk takes: 95 of 100 do not take longer."
              " Beyond"
              " two seconds producers are told to wait.", "s",
              (p95("framefleet_broker_journal_commit_seconds"), "commit"), log=True,
              steps=((0, GREEN), (2, RED))),
    ]
    return dashboard("framefleet-sink-and-journal", "Sink and journal", "What is stored, how"
    " quickly,"
                     " and how much room there is.", panels)


def all_of_them():
    return [fleet(), sources(), workers(), sink_and_journal()]

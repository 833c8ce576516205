#!/usr/bin/env python3
"""A folder of pictures spread over processors, as one would do it in Python.

    picture_pools.py joblib_threads|joblib_loky|multiprocessing WORKERS FOLDER RESULTS

A part of `framefleet bench vision`, which it tells on descriptor 3 that it is done; it keeps its
workers until it is told to end. RESULTS has a line for each picture: number, time, seconds that it
took, detections.
"""

import json
import pathlib
import socket
import sys

import picture_work


def joblib_pool(backend, workers, tasks, done):
    import joblib  # the others need not pay for it

    with joblib.Parallel(n_jobs=workers, backend=backend) as parallel:
        done(parallel(joblib.delayed(picture_work.work)(task) for task in tasks))


def multiprocessing_pool(workers, tasks, done):
    import multiprocessing

    with multiprocessing.Pool(workers, picture_work.prepare) as pool:
        done(list(pool.imap_unordered(picture_work.work, tasks)))
        pool.close()
        pool.join()


def main():
    way, workers, folder, file = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    cue = socket.socket(fileno=3)
    tasks = list(enumerate(sorted(str(path) for path in pathlib.Path(folder).iterdir())))

    def done(results):
        lines = (f"{number} {at:.6f} {took:.6f} {count}\n" for number, at, took, count in results)
        pathlib.Path(file).write_text("".join(lines))
        cue.send(b"done")
        cue.recv(16)

    if way == "multiprocessing":
        multiprocessing_pool(workers, tasks, done)
    else:
        joblib_pool({"joblib_threads": "threading", "joblib_loky": "loky"}[way], workers, tasks,
                    done)
    cue.send(json.dumps({"tasks": len(tasks)}).encode())


if __name__ == "__main__":
    main()

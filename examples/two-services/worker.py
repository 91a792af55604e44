"""The worker: does the jobs of the queue, one after the other, and writes what it has done where the web server reads.

Its log is rotated by size: `worker.log`, `worker.log.1`, and so on, up to --log-count old ones.
"""
import argparse
import logging
import logging.handlers
import os
import pathlib
import signal
import sys
import time


def write(path, text):
    """Replaces a file as a whole, so that a reader sees the old text or the new."""
    beside = path.with_name("." + path.name)
    beside.write_text(text)
    os.replace(beside, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--queue", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--log-size", type=int, required=True)
    parser.add_argument("--log-count", type=int, required=True)
    options = parser.parse_args()

    handler = logging.handlers.RotatingFileHandler(options.log, maxBytes=options.log_size, backupCount=options.log_count)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=[handler])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    page = options.results / "index.html"
    counter = options.results / "done.txt"
    done = int(counter.read_text()) if counter.exists() else 0
    while True:
        for job in sorted(options.queue.glob("*.job")):
            text = job.read_text().strip()
            done += 1
            logging.info("job %d: %s", done, text)
            write(counter, "%d\n" % done)
            write(page, "<!doctype html>\n<title>jobs</title>\n<p>%d jobs done, the last: %s</p>\n" % (done, text))
            job.unlink()
        time.sleep(0.2)


main()

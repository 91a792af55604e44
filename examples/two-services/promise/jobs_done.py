"""Promises that the web server answers and that the worker has done at least one job."""
import urllib.request

from slapos.grid.promise.generic import GenericPromise


class RunPromise(GenericPromise):
    def __init__(self, config):
        super().__init__(config)
        self.setPeriodicity(minute=1)

    def sense(self):
        url = self.getConfig("url") + "done.txt"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                self.logger.info("%d jobs done", int(answer.read()))
        except (OSError, ValueError) as error:
            self.logger.error("no job is done: %s: %s", url, error)

"""Promises that the page holds the greeting that was asked for."""
import html
import urllib.request

from slapos.grid.promise.generic import GenericPromise


class RunPromise(GenericPromise):
    def __init__(self, config):
        super().__init__(config)
        self.setPeriodicity(minute=1)

    def sense(self):
        url, text = self.getConfig("url"), self.getConfig("text")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                page = html.unescape(answer.read().decode())
        except OSError as error:
            self.logger.error("%s does not answer: %s", url, error)
            return
        if text in page:
            self.logger.info("%s greets with %r", url, text)
        else:
            self.logger.error("%s does not say %r", url, text)

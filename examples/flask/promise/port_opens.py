"""Promises that the service accepts connections on its port."""
import socket

from slapos.grid.promise.generic import GenericPromise


class RunPromise(GenericPromise):
    def __init__(self, config):
        super().__init__(config)
        self.setPeriodicity(minute=1)

    def sense(self):
        host, port = self.getConfig("host"), int(self.getConfig("port"))
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError as error:
            self.logger.error("port %s of %s does not open: %s", port, host, error)
        else:
            self.logger.info("port %s of %s opens", port, host)

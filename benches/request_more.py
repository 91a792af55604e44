"""Requests more instances of a release that is supplied, through the peer's client library.

   VENV/bin/python request_more.py MASTER_URL RELEASE HOW_MANY FIRST_PORT
"""
import sys

import slapos.slap

url, release, how_many, port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
slap = slapos.slap.slap()
slap.initializeConnection(url)
for i in range(how_many):
    slap.registerOpenOrder().request(
        release, partition_reference="more%d" % i,
        partition_parameter_kw={"greeting": "greeting %d" % i, "port": str(port + i)})

"""Fills a master, any implementation, through the peer's client library.

   VENV/bin/python fill_master.py MASTER_URL PARTITIONS

Formats the computer "local" with PARTITIONS partitions and requests as many instances, each with a parameter document
and published values of an ordinary size.
"""
import json
import sys

import slapos.slap
from slapos.util import dumps

url, count = sys.argv[1].rstrip("/"), int(sys.argv[2])
RELEASE = "http://release.invalid/software.cfg"
IPV6_MASK = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

slap = slapos.slap.slap()
slap.initializeConnection(url)
slap.registerComputer("local").updateConfiguration(dumps({
    "reference": "local", "address": "127.0.0.1", "netmask": "255.255.255.255",
    "partition_list": [{
        "reference": "slappart%d" % i, "tap": {"name": "tap%d" % i},
        "address_list": [{"addr": "127.0.0.1", "netmask": "255.255.255.255"}, {"addr": "::1", "netmask": IPV6_MASK}],
    } for i in range(count)]}))
slap.registerSupply().supply(RELEASE, "local")
for i in range(count):
    parameters = {"_": json.dumps({"name": "instance%d" % i, "size": 3})}
    instance = slap.registerOpenOrder().request(
        RELEASE, partition_reference="instance%d" % i, partition_parameter_kw=parameters)
    slap.registerComputerPartition("local", instance.getId()).setConnectionDict(
        {"url": "http://127.0.0.1:15180/", "password": "x" * 16, "monitor-url": "https://[::1]:8196/"})

"""What a program sees that uses the peer's client library, unmodified, against a master.

   VENV/bin/python library.py MASTER_URL

It formats a computer, supplies a release, requests instances, plays the node's part, and prints one line for each thing
that it reads, without what differs from run to run. Any two masters that are compatible print the same lines.
"""
import json
import sys

import slapos.slap
from slapos.slap.exception import NotFoundError, ResourceNotReady, ServerError
from slapos.util import dumps

url = sys.argv[1].rstrip("/")
COMPUTER, RELEASE = "library-test", "http://release.invalid/software.cfg"
IPV6_MASK = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def show(what, value):
    print(what, json.dumps(value, sort_keys=True), flush=True)


def tried(call, *arguments, **keywords):
    """What a call gives, or the name of what it raises."""
    try:
        return call(*arguments, **keywords)
    except (NotFoundError, ResourceNotReady, ServerError) as error:
        return type(error).__name__


def seen(partition):
    """An instance as its requester or its node sees it."""
    if isinstance(partition, str):
        return {"refused": partition}
    parameters = dict(partition.getInstanceParameterDict())
    # `full_ip_list` is what production calls `full_address_list`; ours gives both.
    for name in ("timestamp", "slap_computer_id", "full_ip_list"):
        parameters.pop(name, None)
    return {
        "partition": tried(partition.getId),
        "state": tried(partition.getState),
        "parameters": parameters,
        "connection": dict(partition.getConnectionParameterDict()),
    }


slap = slapos.slap.slap()
slap.initializeConnection(url, slapgrid_rest_uri=url + "/hateoas")


def computer():
    """The computer, read again: the library keeps what it has read once."""
    return slap.registerComputer(COMPUTER)


computer().updateConfiguration(dumps({
    "reference": COMPUTER, "address": "127.0.0.1", "netmask": "255.255.255.255",
    "partition_list": [{
        "reference": "slappart%d" % i, "tap": {"name": "tap%d" % i},
        "address_list": [{"addr": "127.0.0.1", "netmask": "255.255.255.255"}, {"addr": "::1", "netmask": IPV6_MASK}],
    } for i in range(3)]}))
show("formatted", sorted(partition.getId() for partition in computer().getComputerPartitionList()))

slap.registerSupply().supply(RELEASE, COMPUTER)
show("supplied", [(release.getURI(), release.getState()) for release in computer().getSoftwareReleaseList()])

order = slap.registerOpenOrder()


def ask(name="first", **keywords):
    """A request as the node must make it: for an instance of this release on this computer."""
    keywords.setdefault("filter_kw", {"computer_guid": COMPUTER})
    return tried(order.request, RELEASE, partition_reference=name, **keywords)


PARAMETERS = {"greeting": "grüße, 世界", "count": "3", "_": json.dumps({"nested": [1, 2]})}
first = ask(partition_parameter_kw=PARAMETERS)
show("requested", seen(first))
show("requested again", seen(ask(partition_parameter_kw=PARAMETERS)))
show("same instance", first.getInstanceGuid() == ask(partition_parameter_kw=PARAMETERS).getInstanceGuid())

node_side = slap.registerComputerPartition(COMPUTER, first.getId())
show("node sees", seen(node_side))
show("release of it", node_side.getSoftwareRelease().getURI())
show("type of it", tried(node_side.getType))
for release in computer().getSoftwareReleaseList():
    release.building()
    release.available()
node_side.setConnectionDict({"url": "http://127.0.0.1:80/", "secret": "a <b> & 'c' ü"})
node_side.started()
node_side.error("it went wrong")
node_side.bang("please")
computer().bang("all of you")
show("certificate", tried(node_side.getCertificate))
show("published", seen(ask(partition_parameter_kw=PARAMETERS))["connection"])
show("one value", ask(partition_parameter_kw=PARAMETERS).getConnectionParameter("url"))
show("absent value", tried(first.getConnectionParameter, "absent"))

show("changed", seen(ask(partition_parameter_kw={"greeting": "other"})))
show("stopped", seen(ask(partition_parameter_kw={"greeting": "other"}, state="stopped"))["state"])
show("typed", seen(ask("second", software_type="special")))
show("third", seen(ask("third"))["partition"])
show("no partition left", seen(ask("fourth")))
show("elsewhere", seen(ask("fifth", filter_kw={"computer_guid": "unknown"})))
show("sub-instance without room", seen(tried(
    node_side.request, RELEASE, "default", "child", partition_parameter_kw={}, filter_kw={"computer_guid": COMPUTER})))

show("services", sorted(slap.getOpenOrderDict()))
show("information", [
    getattr(order.getInformation("first"), name)
    for name in ("_requested_state", "_software_release_url", "_parameter_dict")])
show("published information", order.getInformation("first")._connection_dict)
show("computers", sorted(name for name in slap.getComputerDict() if name == COMPUTER))

ask("third", state="destroyed")
for partition in computer().getComputerPartitionList():
    if partition.getId() != first.getId() and partition.getState() == "destroyed":
        partition.stopped()
        partition.destroyed()
show("freed", seen(ask("fourth")))
show("partitions", sorted((p.getId(), p.getState()) for p in computer().getComputerPartitionList()))
slap.registerSupply().supply(RELEASE, COMPUTER, state="destroyed")
show("removed", [(release.getURI(), release.getState()) for release in computer().getSoftwareReleaseList()])
for release in computer().getSoftwareReleaseList():
    release.destroyed()
show("forgotten", [(release.getURI(), release.getState()) for release in computer().getSoftwareReleaseList()])

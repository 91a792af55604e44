"""What a program sees that controls a supervisor as slapgrid does, through its socket.

   VENV/bin/python supervisor_client.py DIRECTORY

A supervisor must run there with `supervisord.conf`, which includes `conf.d/*.conf` and has its socket in `sv.sock`. This
writes programs, starts, stops, changes and removes them, and prints one line for each answer, without what differs from
run to run. Any two supervisors that are compatible print the same lines.
"""
import json
import os
import re
import sys
import time
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

directory = os.path.abspath(sys.argv[1])
proxy = ServerProxy("http://127.0.0.1", SupervisorTransport("", "", "unix://%s/sv.sock" % directory))
supervisor = proxy.supervisor
TIMES = ("start", "stop", "now", "pid")


def seen(value):
    if isinstance(value, dict):
        value = {key: seen(member) for key, member in value.items()}
        for key in TIMES:
            if key in value:
                value[key] = value[key] > 0
        if "description" in value:
            value["description"] = re.sub(r"pid \d+, uptime [\d:]+", "pid N, uptime T", value["description"])
            value["description"] = re.sub(r"^\w{3} \d\d \d\d:\d\d [AP]M$", "DATE", value["description"])
        return value
    if isinstance(value, list):
        return [seen(element) for element in value]
    if isinstance(value, str):
        return value.replace(directory, "ROOT")
    return value


def show(what, *arguments):
    method = proxy
    for name in what.split("."):
        method = getattr(method, name)
    try:
        answer = seen(method(*arguments))
    except Fault as fault:
        answer = {"fault": fault.faultCode, "text": seen(fault.faultString)}
    print(what, json.dumps(arguments), json.dumps(answer, sort_keys=True), flush=True)


def write(group, programs):
    text = "[group:%s]\nprograms=%s\n" % (group, ",".join("%s_%s" % (group, name) for name in programs))
    for name, command in programs.items():
        text += """
[program:{group}_{name}]
directory={directory}
command={command}
process_name={name}
autostart=false
autorestart=false
startsecs=0
startretries=0
exitcodes=0
stopsignal=TERM
stopwaitsecs=5
stopasgroup=true
killasgroup=true
serverurl=AUTO
redirect_stderr=true
stdout_logfile={directory}/{group}_{name}.log
stdout_logfile_maxbytes=100KB
stdout_logfile_backups=1
stderr_logfile={directory}/{group}_{name}.log
stderr_logfile_maxbytes=100KB
stderr_logfile_backups=1
environment=USER="nobody",HOME="/"
""".format(group=group, name=name, directory=directory, command=command)
    with open("%s/conf.d/%s.conf" % (directory, group), "w") as output:
        output.write(text)


def wait(name, state):
    deadline = time.time() + 30
    while supervisor.getProcessInfo(name)["statename"] != state:
        assert time.time() < deadline, (name, supervisor.getProcessInfo(name))
        time.sleep(0.01)


for method in "getAPIVersion", "getIdentification", "getState", "getAllProcessInfo":
    show("supervisor." + method)
# A program that ends while it is being started is told of in another way by supervisord, so this one waits for a word.
once = "/bin/sh -c 'echo one; echo two >&2; until [ -e word ]; do sleep 0.01; done; exit 3'"
write("part0", {"web": "/bin/sleep 600", "once": once, "gone": "/nonexistent x"})
write("part1", {"web": "/bin/sleep 600"})
show("supervisor.startProcessGroup", "part0")
show("supervisor.addProcessGroup", "part0")
show("supervisor.reloadConfig")
for group in "part0", "part1", "part1":
    show("supervisor.addProcessGroup", group)
show("supervisor.getAllProcessInfo")
show("supervisor.startProcessGroup", "part0")
open("%s/word" % directory, "w").close()
wait("part0:once", "EXITED")
show("supervisor.getAllProcessInfo")
for name in "part0:web", "part0:once", "part0:gone", "part0:none", "part0", "none", "part0:*":
    show("supervisor.getProcessInfo", name)
show("supervisor.startProcess", "part0:web")
show("supervisor.startProcess", "part0:gone")
show("supervisor.startProcess", "none:none")
show("supervisor.stopProcess", "part0:once")
show("supervisor.signalProcess", "part0:once", "HUP")
show("supervisor.signalProcess", "part0:web", "NONSENSE")
show("supervisor.signalProcess", "part0:web", "CONT")
show("supervisor.signalProcessGroup", "part0", "CONT")
for arguments in (0, 100), (0, 3), (4, 100), (100, 4):
    show("supervisor.tailProcessStdoutLog", "part0:once", *arguments)
for arguments in (0, 0), (0, 3), (2, 0), (-4, 0), (-4, 1), (0, -1):
    show("supervisor.readProcessStdoutLog", "part0:once", *arguments)
show("supervisor.readProcessStderrLog", "part0:once", 0, 0)
show("supervisor.readProcessStdoutLog", "part0:gone", 0, 0)
show("supervisor.clearProcessLogs", "part0:once")
show("supervisor.removeProcessGroup", "part0")
write("part0", {"web": "/bin/sleep 601"})
os.unlink("%s/conf.d/part1.conf" % directory)
show("supervisor.reloadConfig")
show("supervisor.stopProcessGroup", "part0")
show("supervisor.stopProcessGroup", "part0")
show("supervisor.removeProcessGroup", "part0")
show("supervisor.addProcessGroup", "part0")
show("supervisor.removeProcessGroup", "part1")
show("supervisor.reloadConfig")
show("supervisor.startProcess", "part0:web", False)
show("supervisor.stopProcess", "part0:web")
show("supervisor.startAllProcesses", False)
show("supervisor.getAllProcessInfo")
show("supervisor.stopAllProcesses")
show("supervisor.none")
show("supervisor.getState", 1)
show("supervisor.startProcess")
show("system.multicall", [
    {"methodName": "supervisor.getState", "params": []},
    {"methodName": "supervisor.getProcessInfo", "params": ["none"]}])
with open("%s/conf.d/broken.conf" % directory, "w") as output:
    output.write("[program:broken]\ncommand=/bin/true\nstartsecs=often\n")
print("broken", json.dumps(isinstance(supervisor.getState(), dict)), flush=True)
try:
    supervisor.reloadConfig()
except Fault as fault:
    print("broken", fault.faultCode, fault.faultString.split(":")[0])
show("supervisor.shutdown")

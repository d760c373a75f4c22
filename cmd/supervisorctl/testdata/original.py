# Carries out commands with Supervisor's own client, in one process: reads them
# line by line, writes what each has printed and its exit status as JSON.
import io
import json
import sys

from supervisor import supervisorctl
from supervisor.options import ClientOptions

for line in sys.stdin:
    options = ClientOptions()
    options.realize(["-c", sys.argv[1]] + line.split(), doc="")
    out = io.StringIO()
    sys.stderr = out
    controller = supervisorctl.Controller(options, stdout=out)
    supervisorctl.http_client.sys.stdout = out
    controller.onecmd(" ".join(options.args))
    sys.stdout = sys.__stdout__
    print(json.dumps([out.getvalue(), controller.exitstatus]), flush=True)

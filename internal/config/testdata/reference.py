"""Answers questions about how Python and Supervisor read a configuration.

Each line of standard input is a request in JSON, {"op": NAME, "items": [...]};
each line of standard output is the list of answers. An answer is {"ok": VALUE}
or {"error": TEXT}.
"""
import base64
import configparser
import glob
import io
import json
import os
import shlex
import sys

try:
    from supervisor import datatypes, options
except ImportError:
    options = None


def ini(item):
    """The sections of a file: [[name, [[key, value], ...]], ...]."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    raw = io.BytesIO(base64.b64decode(item["data"]))
    text = io.TextIOWrapper(raw, encoding="utf-8")
    parser.read_file(text, item["name"])
    found = [["DEFAULT", sorted(parser.defaults().items())]]
    for name in parser.sections():
        found.append([name, list(parser._sections[name].items())])
    return found


def split(item):
    return shlex.split(item)


def environment(text):
    lexer = shlex.shlex(text, posix=True)
    lexer.wordchars += "/.+-():"
    tokens = list(lexer)
    pairs = []
    for i in range(0, len(tokens), 4):
        three = tokens[i:i + 3]
        if len(three) < 3 or three[1] != "=":
            raise ValueError("Unexpected end of key/value pairs in value '%s'" % text)
        pairs.append([three[0], three[2]])
    return pairs


def percent(item):
    names = {}
    for scope in item["scopes"]:
        names.update(scope)
    return item["format"] % names


def integer(item):
    return clamp(int(item["text"], item["base"]))


def files(pattern):
    return sorted(glob.glob(pattern), key=lambda s: s.encode())


def representation(item):
    return [repr(item), ascii(item), repr(item.encode("utf-8", "surrogatepass"))]


def clamp(n, most=2 ** 63 - 1):
    return None if n is None else max(-most, min(most, n))


# ---------------------------------------------------------------- whole files
class Usage(Exception):
    pass


def usage(self, text):
    raise Usage(str(text))


def patch():
    """Makes the installed release read what the newest one reads."""
    options.Options.usage = usage
    options.dict_of_key_value_pairs = lambda text: dict(environment(str(text)))
    original = options.UnhosedConfigParser.getdefault

    def getdefault(self, option, *args, **kwargs):
        if option == "environment":
            kwargs["do_expand"] = False
        return original(self, option, *args, **kwargs)
    options.UnhosedConfigParser.getdefault = getdefault


def load(item):
    os.environ.clear()
    os.environ.update(item["environ"])
    o = options.ServerOptions()
    o.default_map["childlogdir"] = "/tmp"
    o.realize(["-c", item["file"]] + item.get("args", []), doc="", progname="supervisord")
    for name, _, extras in o.rpcinterface_factories:
        if extras and o.server_configs:  # what the first server would run into
            raise ValueError("Could not make %s rpc interface" % name)
    s = {k: getattr(o, k) for k in ("logfile", "logfile_backups", "loglevel", "pidfile", "identifier", "childlogdir",
                                    "minfds", "minprocs")}
    s["directory"] = o.directory or ""
    s["user"] = o.user or ""
    s["uid"] = -1 if o.uid is None else o.uid
    s["umask"] = o.umask & 0o777
    s["logfile_maxbytes"] = clamp(o.logfile_maxbytes)
    for k in ("logfile_backups", "minfds", "minprocs"):
        s[k] = clamp(s[k])
    for k in ("nodaemon", "silent", "nocleanup", "strip_ansi"):
        s[k] = bool(getattr(o, k))
    s["environment"] = o.configroot.supervisord.environment
    return {
        "supervisord": s,
        "serverurl": (o.serverurl or "").replace("//::1:", "//[::1]:"),
        "servers": [server(c) for c in o.server_configs],
        "interfaces": [name for name, _, _ in o.rpcinterface_factories],
        "groups": [group(g) for g in o.process_group_configs],
        "warnings": o.parse_warnings,
        "infos": o.parse_infos,
    }


def server(c):
    d = {"section": c["section"], "username": c["username"] or "", "password": c["password"] or ""}
    if "file" in c:
        d.update(file=c["file"], mode=c["chmod"] & 0o7777, owner=list(c["chown"]))
    else:
        host = c["host"]
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        d.update(host=host, port=c["port"])
    return d


def group(g):
    d = {"name": g.name, "priority": clamp(g.priority), "kind": "program", "processes": [process(p) for p in g.process_configs]}
    if isinstance(g, options.EventListenerPoolConfig):
        from supervisor import events
        d["kind"] = "eventlistener"
        d["buffer_size"] = clamp(g.buffer_size)
        d["events"] = sorted(events.getEventNameByType(e) for e in g.pool_events)
    elif isinstance(g, options.FastCGIGroupConfig):
        s = g.socket_config
        d["kind"] = "fcgi-program"
        d["socket"] = {"url": s.url, "backlog": s.backlog or 0}
        if s.url.startswith("unix:"):
            d["socket"].update(path=s.path, mode=s.mode & 0o7777, owner=list(s.owner or (-1, -1)))
        else:
            d["socket"].update(host=s.host, port=s.port)
    return d


def process(p):
    d = {k: getattr(p, k) for k in ("name", "command", "autostart", "stopasgroup", "killasgroup", "exitcodes",
                                    "redirect_stderr", "environment")}
    for k in ("priority", "startretries"):
        d[k] = clamp(getattr(p, k))
    for k in ("startsecs", "stopwaitsecs"):
        d[k] = clamp(getattr(p, k), 9223372036)
    d["autorestart"] = {datatypes.RestartUnconditionally: "always", datatypes.RestartWhenExitUnexpected: "unexpected",
                        False: "never"}[p.autorestart]
    d["directory"] = p.directory or ""
    d["serverurl"] = p.serverurl or ""
    d["uid"] = -1 if p.uid is None else p.uid
    d["umask"] = -1 if p.umask is None else p.umask & 0o777
    d["stopsignal"] = int(p.stopsignal)
    for k in ("stdout", "stderr"):
        name = getattr(p, k + "_logfile")
        d[k] = {
            "file": "auto" if name is datatypes.Automatic else "none" if name is None else "=" + name,
            "maxbytes": clamp(getattr(p, k + "_logfile_maxbytes")),
            "backups": clamp(getattr(p, k + "_logfile_backups")),
            "capture": clamp(getattr(p, k + "_capture_maxbytes")),
            "events": getattr(p, k + "_events_enabled"),
            "syslog": getattr(p, k + "_syslog"),
        }
    return d


def client(item):
    os.environ.clear()
    os.environ.update(item["environ"])
    o = options.ClientOptions()
    args = ["-c", item["file"]] if item["file"] else []
    o.realize(args + (item.get("args") or []), doc="", progname="supervisorctl")
    return {k: getattr(o, k) for k in ("serverurl", "username", "password", "prompt", "history_file")}


class Done(Exception):
    pass


def arguments(args):
    """What the command line of the daemon sets."""
    o = options.ServerOptions()
    o.stdout = io.StringIO()
    o.process_config = lambda: None
    o.default_configfile = lambda: None

    def leave(status):
        raise Done()
    o.exit = leave
    try:
        options.Options.realize(o, args, doc="help", progname="supervisord")
    except Done:
        return {"text": "help" if o.stdout.getvalue().strip() == "help" else "version"}
    names = ("user", "umask", "directory", "logfile", "logfile_maxbytes", "logfile_backups", "loglevel", "pidfile",
             "identifier", "childlogdir", "minfds", "minprocs", "nodaemon", "silent", "nocleanup", "strip_ansi")
    found = {k: getattr(o, k) for k in names if getattr(o, k) is not None}
    for k in ("nodaemon", "silent", "nocleanup", "strip_ansi"):
        if k in found:
            found[k] = bool(found[k])
    found["configfile"] = o.configfile or ""
    found["profile"] = o.profile_options is not None
    return found


def url(text):
    return datatypes.url(text)


OPS = {f.__name__: f for f in (ini, split, environment, percent, integer, files, representation, load, client, url, arguments)}


def answer(op, item):
    try:
        return {"ok": OPS[op](item)}
    except KeyError as e:
        return {"error": "KeyError: " + str(e)}
    except Exception as e:
        return {"error": str(e)}


def main():
    if options:
        patch()
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "version":
            answers = bool(options)
        else:
            answers = [answer(request["op"], item) for item in request["items"]]
        print(json.dumps(answers), flush=True)


main()

#!/usr/bin/env python3
"""An event listener: appends the type and the payload of each event to a file.

It reads and writes bytes, and its configuration says len_bytes=true. Text
streams would count characters, which is what the length in a header counts
when the configuration does not say so.
"""
import sys


def main(path):
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        answers.write(b"READY\n")
        answers.flush()
        line = requests.readline()
        if not line:
            return
        header = dict(field.split(b":", 1) for field in line.split())
        payload = requests.read(int(header[b"len"]))
        try:
            with open(path, "ab") as f:
                f.write(header[b"eventname"] + b" " + payload + b"\n")
            answers.write(b"RESULT 2\nOK")
        except OSError as e:
            print(e, file=sys.stderr)
            answers.write(b"RESULT 4\nFAIL")


main(sys.argv[1])

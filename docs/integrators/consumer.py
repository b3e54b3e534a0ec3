#!/usr/bin/env python3
"""Reads a tenant's events, each once, and says when one is missing.

    consumer.py amqp://USER:PASSWORD@HOST/VHOST QUEUE STATE

STATE is a file that remembers what was handled, so that it can be stopped and killed at any time. Needs pika 1.2 or later
(Debian: python3-pika). Put what you do with an event into `handle`.
"""

import json
import os
import sys
import time

import pika


def handle(event):
    print(event["tenantsequence"], event["type"], event["subject"], json.dumps(event.get("data")), flush=True)


class Handled:
    """Which numbers were handled: all up to `last`, and those beyond it that came early."""

    def __init__(self, path):
        self.path = path
        self.last, self.early = None, set()
        if os.path.exists(path):
            with open(path) as file:
                state = json.load(file)
            self.last, self.early = state["last"], set(state["early"])

    def knows(self, number):
        return self.last is not None and (number <= self.last or number in self.early)

    def add(self, number):
        if self.last is None:
            self.last = number - 1
        self.early.add(number)
        while self.last + 1 in self.early:
            self.last += 1
            self.early.remove(self.last)
        with open(self.path + ".new", "w") as file:
            json.dump({"last": self.last, "early": sorted(self.early)}, file)
        os.replace(self.path + ".new", self.path)

    def missing(self):
        """The first number that did not come although a later one did. It may still come; if it does not, ask for a replay."""
        return self.last + 1 if self.early else None


def read(url, queue, handled):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=100)
        for method, _, body in channel.consume(queue):
            event = json.loads(body)
            number = int(event["tenantsequence"])
            # The same event may come again. What was handled is remembered before the broker is told to forget it.
            if not handled.knows(number):
                handle(event)
                handled.add(number)
            if handled.missing() is not None:
                print("missing", handled.missing(), file=sys.stderr, flush=True)
            channel.basic_ack(method.delivery_tag)


def main():
    url, queue, state = sys.argv[1:]
    handled = Handled(state)
    while True:
        try:
            read(url, queue, handled)
        except pika.exceptions.AMQPError as error:
            print(f"reading again in a moment: {error!r}", file=sys.stderr, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    main()

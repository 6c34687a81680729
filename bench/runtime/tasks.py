"""An operating system in small: tasks of several kinds that send each other packets. Method calls on many classes."""

from collections import deque


class Packet:
    def __init__(self, sender, number):
        self.sender = sender
        self.number = number


class Task:
    def __init__(self, system, name):
        self.system = system
        self.name = name
        self.queue = deque()
        self.handled = 0

    def is_ready(self):
        return bool(self.queue)

    def send(self, name, number):
        self.system.tasks[name].queue.append(Packet(self, number))

    def step(self):
        self.handled += 1
        self.handle(self.queue.popleft())

    def handle(self, packet):
        raise NotImplementedError


class Worker(Task):
    def handle(self, packet):
        self.send("device", (packet.number * 17 + self.handled) % 1009)


class Device(Task):
    def handle(self, packet):
        kind = "handler" if packet.number & 1 else "idler"
        self.send(kind, packet.number >> 1)


class Handler(Task):
    def handle(self, packet):
        if isinstance(packet.sender, Device):
            self.send("worker", packet.number + 1)


class Idler(Task):
    state = 1

    def handle(self, packet):
        self.state = (self.state >> 1) ^ 0xD008 if self.state & 1 else self.state >> 1
        self.send("worker", self.state ^ packet.number)


class System:
    def __init__(self):
        kinds = {"worker": Worker, "device": Device, "handler": Handler, "idler": Idler}
        self.tasks = {name: kind(self, name) for name, kind in kinds.items()}

    def run(self, steps):
        while steps > 0:
            for task in self.tasks.values():
                if task.is_ready():
                    task.step()
                    steps -= 1


def main():
    system = System()
    for number in range(5):
        system.tasks["worker"].queue.append(Packet(None, number))
    system.run(150_000)
    return [task.handled for task in system.tasks.values()]

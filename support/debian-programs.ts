/**
 * Twenty-five programs and libraries of Debian 12, and what they are asked to do without a network. They are installed in a root of their
 * own (debian-root.sh, programs-root-bookworm).
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Program} from './programs.js';

type Words = readonly string[];

/** A program that runs as `file words…`; it is traced with the first of its commands. */
function program(
  file: string,
  commands: readonly Words[],
  files: Readonly<Record<string, string>> = {},
  prepare?: (folder: string) => void,
): Program {
  const all = commands.map((words) => [`/usr/bin/${file}`, ...words]);
  return {
    name: file,
    needs: `/usr/bin/${file}`,
    traces: () => all.slice(0, 1),
    invocations: () => all,
    prepare({folder}) {
      writeFiles(folder, files);
      prepare?.(folder);
    },
  };
}

/** A small program that uses what a Debian package installs below dist-packages. */
function library(name: string, needs: string, text: string): Program {
  return {
    name,
    needs: `/usr/lib/python3/dist-packages/${needs}`,
    traces: () => [['main.py']],
    invocations: () => [['main.py'], ['-X', 'dev', '-W', 'ignore', 'main.py']],
    prepare({folder}) {
      writeFiles(folder, {'main.py': text});
    },
  };
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), {recursive: true});
    writeFileSync(join(folder, name), text);
  }
}

const MODULE = `"""A module."""
import os, sys


class Shape:
    def area(self) -> float:
        return "none"


def unused(a, b = [], *c):
    x = 1
    if a == None: return sys.path
    return os.getcwd() + a
`;

const TESTS = `import pytest

@pytest.fixture
def number(tmp_path): return 2

@pytest.mark.parametrize("by", [1, 2, 3])
def test_times(number, by): assert number * by == 4

def test_raises():
    with pytest.raises(ValueError, match="literal"): int("x")
`;

const SPIDER = `import scrapy

class Spider(scrapy.Spider):
    name = "pages"
    custom_settings = {"TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "ERROR"}
    def start_requests(self):
        import os
        yield scrapy.Request("file://" + os.getcwd() + "/page.html")
    def parse(self, response):
        for each in response.css("li"):
            item = {"text": each.css("::text").get(), "id": each.attrib.get("id")}
            print(sorted(item.items(), key=str))
            yield item
`;

const PAGE = '<html><body><h1>Title</h1><ul><li id="a">one</li><li>two</li></ul></body></html>\n';

const MESON = `project('small', 'c', version: '1.2', default_options: ['warning_level=2'])
small = static_library('small', 'small.c')
executable('prog', 'main.c', link_with: small)
test('runs', find_program('true'))
`;

const FLASK = `import click, flask
app = flask.Flask(__name__)

@app.route("/user/<name>", methods=["GET", "POST"])
def user(name): return flask.render_template_string("Hello {{ name|upper }}!", name=name)

@app.cli.command()
@click.argument("name")
def greet(name):
    with app.test_client() as client: click.echo(client.get("/user/" + name).data)
`;

const PANDAS = `import numpy as np, pandas as pd
frame = pd.DataFrame({"group": list("abab"), "value": np.arange(4) ** 2.5, "day": pd.date_range("2024-02-28", periods=4)})
print(frame, frame.dtypes, frame.groupby("group").value.agg(["mean", "std"]), sep="\\n")
print(frame.set_index("day").resample("2D").value.sum(), frame.to_json(), frame.describe().to_csv(), sep="\\n")
print(np.linalg.eigvalsh(np.array([[2.0, 1], [1, 3]])), np.random.default_rng(5).integers(100, size=8), np.fft.fft([1, 2, 3, 4]))
print(pd.read_csv(__import__("io").StringIO("a,b\\n1,x\\n2,y")).merge(pd.DataFrame({"a": [1, 3]}), how="outer"))
`;

const MATPLOTLIB = `import hashlib, io, matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
figure, axes = plt.subplots(1, 2)
axes[0].plot([1, 2, 3], [3, 1, 2], label="line")
axes[0].legend()
axes[1].hist([1, 1, 2, 3, 5, 8], bins=4)
figure.suptitle("$\\\\alpha^2$ and text")
figure.canvas.draw()
print(hashlib.sha256(bytes(figure.canvas.buffer_rgba())).hexdigest())
out = io.BytesIO()
figure.savefig(out, format="svg", metadata={"Date": None})
print(len(out.getvalue()) > 1000, sorted(plt.style.available)[:5], matplotlib.rcParams["font.size"])
`;

const SYMPY = `from sympy import *
x, y = symbols("x y")
print(integrate(exp(-x ** 2) * cos(x), (x, -oo, oo)), solve(x ** 4 - 5 * x + 1, x)[:1], factor(x ** 6 - 1))
print(pretty(Matrix([[1, x], [y, 2]]).inv()), latex(Sum(1 / x ** 2, (x, 1, oo)).doit()), series(sin(x) / x, x, 0, 8), sep="\\n")
print(dsolve(Function("f")(x).diff(x) - x), sympify("2*x + 3").subs(x, Rational(1, 3)), primerange(10, 30))
`;

const FASTAPI = `import json
from typing import Optional
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine, func, select
from sqlalchemy.orm import Session, declarative_base, relationship
Base = declarative_base()

class User(Base):
    __tablename__ = "user"
    id = Column(Integer, primary_key=True)
    name = Column(String(30))
    mails = relationship("Mail", back_populates="user")

class Mail(Base):
    __tablename__ = "mail"
    id = Column(Integer, primary_key=True)
    address = Column(String)
    user_id = Column(ForeignKey("user.id"))
    user = relationship("User", back_populates="mails")

engine = create_engine("sqlite://", echo=False)
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(User(name="one", mails=[Mail(address="a@b"), Mail(address="c@d")]))
    session.commit()
    print(session.execute(select(User.name, func.count(Mail.id)).join(Mail).group_by(User.name)).all())
    print(select(User).where(User.name.like("o%")), session.query(User).first().mails[1].address)

class Item(BaseModel):
    name: str
    price: Optional[float] = None

app = FastAPI(title="small")
@app.post("/items/{number}")
async def item(number: int, item: Item, extra: str = Depends(lambda: "x")) -> Item: return item
print(json.dumps(app.openapi(), indent=1))
try: Item(price="no")
except ValueError as error: print(error)
`;

const TWISTED = `from twisted.internet import defer, protocol, reactor, task
from twisted.protocols import basic

class Echo(basic.LineReceiver):
    def lineReceived(self, line): self.sendLine(line[::-1])

class Client(basic.LineReceiver):
    def connectionMade(self): self.sendLine(b"abc")
    def lineReceived(self, line):
        print("got", line)
        self.transport.loseConnection()
    def connectionLost(self, reason):
        print(reason.type.__name__)
        reactor.stop()

@defer.inlineCallbacks
def steps():
    yield task.deferLater(reactor, 0.01, print, "later")
    try: yield defer.fail(ValueError("failed"))
    except ValueError as error: print(error)

factory = protocol.Factory.forProtocol(Echo)
port = reactor.listenTCP(0, factory, interface="127.0.0.1")
steps().addCallback(lambda _: reactor.connectTCP("127.0.0.1", port.getHost().port, protocol.ClientFactory.forProtocol(Client)))
reactor.run()
`;

const SPHINX = {
  'doc/conf.py':
    "project = 'small'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.viewcode']\nhtml_theme = 'alabaster'\n",
  'doc/index.rst': 'Title\n=====\n\n.. toctree::\n\n   other\n\n.. automodule:: json\n   :members: dumps\n',
  'doc/other.rst': 'Other\n=====\n\n.. code-block:: python\n\n   print("x")\n\n:ref:`missing`\n',
};

const filledFolder = (folder: string): void => {
  mkdirSync(join(folder, 'data'), {recursive: true});
  writeFileSync(join(folder, 'data', 'file.txt'), 'text\n'.repeat(1000));
};

/** Twenty command lines and five groups of libraries. */
export const DEBIAN_PROGRAMS: readonly Program[] = [
  program('pygmentize', [['-f', 'html', 'module.py'], ['-L', 'styles'], ['-N', 'x.cpp'], ['nothing.py']], {
    'module.py': MODULE,
  }),
  program('pip', [
    ['--disable-pip-version-check', 'list'],
    ['--version'],
    ['help', 'install'],
    ['show', '-f', 'Flask'],
    ['check'],
  ]),
  program('django-admin', [
    ['startproject', 'website'],
    ['version'],
    ['help'],
    ['help', 'migrate'],
    ['nothing'],
  ]),
  program(
    'pytest',
    [['-p', 'no:cacheprovider', '-v', 'test_it.py'], ['--fixtures', '-q'], ['--markers'], ['nothing.py']],
    {'test_it.py': TESTS},
  ),
  program(
    'sphinx-build',
    [
      ['-b', 'html', '-j1', 'doc', 'out'],
      ['-b', 'text', 'doc', 'text'],
      ['--version'],
      ['-b', 'nothing', 'doc', 'x'],
    ],
    SPHINX,
  ),
  program('ipython3', [
    ['--no-banner', '--colors=NoColor', '-c', 'import os; x = [1]; print(x); %who\n1/0'],
    ['--version'],
    ['--help'],
  ]),
  program(
    'mypy',
    [
      ['--cache-dir=/dev/null', '--strict', 'module.py'],
      ['--version'],
      ['--no-incremental', '-c', 'x: int = "a"'],
    ],
    {'module.py': MODULE},
  ),
  program('poetry', [
    ['list'],
    ['--version'],
    ['init', '-n', '--name', 'small'],
    ['check'],
    ['config', '--list'],
  ]),
  program('aws', [
    ['--version'],
    ['configure', 'list'],
    ['s3', 'ls'],
    ['ec2', 'describe-nothing'],
    ['s3api', 'list-buckets', '--generate-cli-skeleton'],
  ]),
  program(
    'scrapy',
    [
      ['runspider', '-o', 'out.json', 'spider.py'],
      ['version', '-v'],
      ['startproject', 'small'],
      ['settings', '--get', 'BOT_NAME'],
      ['list'],
    ],
    {'spider.py': SPIDER, 'page.html': PAGE},
  ),
  program('pylint', [['-j1', 'module.py'], ['--version'], ['--list-msgs-enabled'], ['nothing.py']], {
    'module.py': MODULE,
  }),
  program('flake8', [['-j1', 'module.py'], ['--version'], ['--help'], ['nothing.py']], {'module.py': MODULE}),
  program('certbot', [
    ['certificates', '--config-dir', 'c', '--work-dir', 'w', '--logs-dir', 'l'],
    ['--version'],
    ['plugins', '--config-dir', 'c', '--work-dir', 'w', '--logs-dir', 'l'],
    ['--help', 'all'],
  ]),
  program(
    'flask',
    [
      ['--app', 'app', 'greet', 'somebody'],
      ['--version'],
      ['--app', 'app', 'routes'],
      ['--app', 'nothing', 'routes'],
    ],
    {'app.py': FLASK},
  ),
  program(
    'meson',
    [
      ['setup', 'build', '--backend=none'],
      ['--version'],
      ['introspect', '--targets', 'meson.build'],
      ['introspect', '--ast', 'meson.build'],
      ['configure', '--help'],
    ],
    {
      'meson.build': MESON,
      'small.c': 'int small(void) { return 1; }\n',
      'main.c': 'int main(void) { return 0; }\n',
    },
  ),
  program(
    'borg',
    [
      ['init', '-e', 'none', 'repo'],
      ['create', 'repo::one', 'data'],
      ['list', '--short', 'repo'],
      ['list', '--format', '{path}{NL}', 'repo::one'],
      ['check', 'repo'],
      ['delete', 'repo::two'],
      ['--version'],
    ],
    {},
    filledFolder,
  ),
  program('beet', [['version'], ['ls', '-f', '$artist'], ['fields'], ['help'], ['stats']], {
    '.config/beets/config.yaml': 'plugins: inline fuzzy duplicates\n',
  }),
  program(
    'duplicity',
    [
      ['--no-encryption', '--allow-source-mismatch', 'data', 'file://backup'],
      ['list-current-files', '--no-encryption', 'file://backup'],
      ['verify', '--no-encryption', 'file://backup', 'data'],
      ['--version'],
    ],
    {},
    filledFolder,
  ),
  program('streamlink', [
    ['--plugins'],
    ['--version'],
    ['--can-handle-url', 'https://www.youtube.com/x'],
    ['--json', 'https://nothing.invalid/x'],
  ]),
  program('glances', [['--modules-list'], ['--version'], ['--help']]),
  library('numpy with pandas', 'pandas', PANDAS),
  library('matplotlib', 'matplotlib', MATPLOTLIB),
  library('sympy', 'sympy', SYMPY),
  library('sqlalchemy with fastapi', 'fastapi', FASTAPI),
  library('twisted', 'twisted', TWISTED),
];

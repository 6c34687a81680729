/** Common packages, each with a short program: kept in `results/packages.json`, and written as the table of docs/snapshots.md. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {PACKAGE} from '../support/rig.js';
import {formatted} from './formatted.js';
import {table} from './table.js';

/** What is started. Its output is the same in each process. */
export interface Package {
  readonly name: string;
  readonly code: string;
  /** What else pip installs. */
  readonly needs?: readonly string[];
}

const one = (name: string, code: string, ...needs: string[]): Package => ({name, code, needs});

export const PACKAGES: readonly Package[] = [
  one('numpy', 'import numpy as np; a = np.arange(9.0).reshape(3, 3); print(a @ a)'),
  one('pandas', 'import pandas as pd; print(pd.DataFrame({"a": [1, 2, 3]}).a.sum())'),
  one('scipy', 'from scipy import linalg, optimize; print(linalg.det([[1.0, 2.0], [3.0, 4.0]]))'),
  one(
    'scikit-learn',
    'from sklearn.linear_model import LinearRegression as L; print(L().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).predict([[3.0]]).round(6))',
  ),
  one(
    'statsmodels',
    'import numpy as np, statsmodels.api as sm; print(sm.OLS([1.0, 2.0, 3.5], sm.add_constant(np.arange(3.0))).fit().params.round(6))',
  ),
  one(
    'matplotlib',
    'import matplotlib; matplotlib.use("agg"); from matplotlib import pyplot as p; f, a = p.subplots(); print(len(a.plot([1, 2])))',
  ),
  one(
    'pillow',
    'from PIL import Image; print(Image.new("RGB", (4, 4), "red").resize((2, 2)).getpixel((1, 1)))',
  ),
  one(
    'astropy',
    'from astropy.coordinates import SkyCoord; print(SkyCoord(10.0, 20.0, unit="deg").galactic.l.round(5))',
  ),
  // Without numpy, each import of it prints a warning.
  one('torch', 'import torch; print(torch.ones(3) @ torch.ones(3))', 'numpy'),
  one('torchvision', 'import torchvision; print(torchvision.__version__)', 'torch'),
  one(
    'transformers',
    'from transformers import BertConfig, BertModel as M; print(sum(p.numel() for p in M(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=32)).parameters()))',
    'torch',
  ),
  one(
    'tokenizers',
    'from tokenizers import Tokenizer, models; print(Tokenizer(models.BPE()).get_vocab_size())',
  ),
  one('spacy', 'import spacy; print([t.text for t in spacy.blank("en")("a b. c")])'),
  one('polars', 'import polars as pl; print(pl.DataFrame({"a": [1, 2]})["a"].sum())'),
  one(
    'pyarrow',
    'import pyarrow as pa; print(pa.array([1, 2, 3]).sum() if hasattr(pa.Array, "sum") else len(pa.array([1, 2, 3])))',
  ),
  one(
    'opencv-python-headless',
    'import cv2, numpy as np; print(cv2.resize(np.ones((4, 4), "u1"), (2, 2)).sum())',
  ),
  one('numba', 'import numba; print(numba.njit(lambda x: x + 1)(41))'),
  one('lxml', 'from lxml import etree; print(etree.tostring(etree.fromstring("<a><b/></a>")))'),
  one('PyYAML', 'import yaml; print(yaml.safe_load("a: [1, 2]"))'),
  one(
    'cryptography',
    'from cryptography.fernet import Fernet as F; k = F.generate_key(); print(F(k).decrypt(F(k).encrypt(b"text")))',
  ),
  one('pydantic', 'from pydantic import create_model; print(create_model("M", a=(int, 0))(a="5").a)'),
  one('orjson', 'import orjson; print(orjson.dumps({"a": [1, 2.5]}))'),
  one('uvloop', 'import uvloop, asyncio; print(uvloop.run(asyncio.sleep(0, 5)))'),
  one('httptools', 'import httptools; print(httptools.parse_url(b"http://a/b?c").path)'),
  one('grpcio', 'import grpc; print(grpc.StatusCode.OK.value)'),
  one(
    'protobuf',
    'from google.protobuf import struct_pb2 as s; print(s.Value(number_value=2.0).SerializeToString())',
  ),
  one('psycopg', 'import psycopg; print(psycopg.sql.Identifier("a b").as_string(None))', 'psycopg-binary'),
  one(
    'sqlalchemy',
    'import sqlalchemy as s; print(s.create_engine("sqlite://").connect().execute(s.text("select 6 * 7")).scalar())',
  ),
  one('lz4', 'import lz4.frame as f; print(f.decompress(f.compress(b"a" * 99)) == b"a" * 99)'),
  one('zstandard', 'import zstandard as z; print(z.decompress(z.compress(b"a" * 99)) == b"a" * 99)'),
  one('regex', String.raw`import regex; print(regex.findall(r"\p{L}+", "ab cd"))`),
  one('msgpack', 'import msgpack; print(msgpack.unpackb(msgpack.packb({"a": 1})))'),
  one('greenlet', 'import greenlet; print(greenlet.greenlet(lambda: 5).switch())'),
  one('gevent', 'import gevent; print(gevent.spawn(lambda: 5).get())'),
  one('pyzmq', 'import zmq; c = zmq.Context(); print(c.socket(zmq.PAIR).type); c.destroy()'),
  one('ipykernel', 'import ipykernel.kernelapp; print(ipykernel.__version__)'),
  one('black', 'import black; print(black.format_str("a=1", mode=black.Mode()))'),
  one('mypy', 'import mypy.build, mypy.version; print(mypy.version.__version__)'),
  one('rpds-py', 'from rpds import HashTrieMap; print(HashTrieMap({"a": 1})["a"])'),
  one('aiohttp', 'import aiohttp; print(aiohttp.ClientTimeout(total=3).total)'),
];

const sides = z.object({unmodified: z.number(), snapshot: z.number()}).nullable();
const outcome = z.object({
  name: z.string(),
  version: z.string(),
  /** Whether all of its modules are in the snapshot, some of them, or no snapshot is used. */
  state: z.enum(['whole', 'in part', 'not', 'wrong']),
  /** What is left out and why; or why there is no snapshot. */
  reason: z.string(),
  /** Medians of starts, in milliseconds: all files in the page cache, or none of them. */
  warm: sides,
  cold: sides,
  /** Megabytes of the file, and of the largest memory of a process. */
  file: z.number().nullable(),
  memory: sides,
  load: z.number(),
});
export type PackageOutcome = z.infer<typeof outcome>;

const FILE = join(import.meta.dirname, 'results', 'packages.json');
const DOCUMENT = join(PACKAGE, 'docs', 'snapshots.md');
const BEGIN = '<!-- generated by: node bench/run.mjs packages -->';
const END = '<!-- end of the generated part -->';

/** Nothing where none was ever tried. */
export function readOutcomes(): readonly PackageOutcome[] {
  return existsSync(FILE) ? z.array(outcome).parse(JSON.parse(readFileSync(FILE, 'utf8'))) : [];
}

/** Takes the place of what was known of the package, in the order of PACKAGES, and writes the table anew. */
export async function keepOutcome(fresh: PackageOutcome): Promise<void> {
  const known = new Map(readOutcomes().map((each) => [each.name, each]));
  known.set(fresh.name, fresh);
  const all = PACKAGES.flatMap(({name}) => known.get(name) ?? []);
  writeFileSync(FILE, await formatted(JSON.stringify(all), FILE));
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} lacks the marks ${BEGIN} and ${END}`);
  const written = `${text.slice(0, begin)}${BEGIN}\n\n${packagesTable(all)}\n\n${text.slice(end)}`;
  writeFileSync(DOCUMENT, await formatted(written, DOCUMENT));
}

/** The outcomes as a table in Markdown. */
export function packagesTable(all: readonly PackageOutcome[]): string {
  const cell = (value: number | null | undefined, digits = 0): string => value?.toFixed(digits) ?? '–';
  const count = (state: PackageOutcome['state']): number => all.filter((each) => each.state === state).length;
  const rows = all.map(({name, version, state, reason, warm, cold, file, memory}) => [
    `${name} ${version}`,
    state,
    cell(warm?.unmodified),
    cell(warm?.snapshot, 1),
    cell(warm && warm.snapshot / warm.unmodified, 2),
    cold === null ? '–' : `${cell(cold.snapshot)} (${cell(cold.unmodified)})`,
    cell(file),
    memory === null ? '–' : `${cell(memory.snapshot)} (${cell(memory.unmodified)})`,
    reason.replaceAll(/[|_]/g, String.raw`\$&`),
  ]);
  const load = Math.max(0, ...all.map((each) => each.load));
  return [
    `${all.length} packages: ${count('whole')} whole, ${count('in part')} in part, ${count('not')} without a snapshot, ${count('wrong')} wrong. Times in milliseconds, medians, with one thread for OpenBLAS and OpenMP, at a load average of ${load.toFixed(1)} or less; sizes in megabytes.`,
    table(
      [
        'package',
        'snapshot',
        'unmodified',
        'with it',
        'ratio',
        'cold page cache (unmodified)',
        'file',
        'memory (unmodified)',
        'left out, because',
      ],
      rows,
    ),
  ].join('\n\n');
}

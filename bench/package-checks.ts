/** What has to hold for packages besides speed: programs of which each prints the same with a snapshot and without. */

/** A package, and what is done with it. */
export interface Checked {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly imports: string;
  /** What `work(n)` returns: the same in each process and thread. */
  readonly work: string;
  /** What raises an exception, of C++ where the package has such. */
  readonly raises: string;
  /** Values that no two processes may share. */
  readonly unique?: readonly string[];
  /** Surroundings in which an import finds out what the host can do, which a start does not do again (docs/snapshots.md, Limitations). */
  readonly without?: readonly string[];
  /** Further programs. */
  readonly programs?: Readonly<Record<string, string>>;
}

const TORCH_PROGRAMS = {
  loader: `class Numbers(torch.utils.data.Dataset):
    def __len__(self): return 8
    def __getitem__(self, i): return torch.tensor([float(i)])
def main():
    for how in "fork", "spawn", "forkserver":
        loader = torch.utils.data.DataLoader(Numbers(), batch_size=4, num_workers=2, multiprocessing_context=how)
        print(how, [each.sum().item() for each in loader])
if __name__ == "__main__": main()`,
  shared_tensors: `import torch.multiprocessing as processes
def fill(tensor, queue): tensor.fill_(5); queue.put(torch.ones(3)); queue.get()
def main():
    for how in "fork", "spawn", "forkserver":
        context = processes.get_context(how)
        tensor, queue, back = torch.zeros(4).share_memory_(), context.Queue(), context.Queue()
        process = context.Process(target=fill, args=(tensor, queue))
        process.start(); got = queue.get(); queue.put(None); process.join()
        print(how, tensor.sum().item(), got.sum().item(), process.exitcode)
if __name__ == "__main__": main()`,
  gradients: `model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
torch.manual_seed(3)
for p in model.parameters(): torch.nn.init.normal_(p)
model(torch.ones(5, 4)).sum().backward()
print([p.grad.sum().item() for p in model.parameters()])
@torch.jit.script
def twice(x): return x + x
print(twice(torch.ones(2)).sum().item())`,
};

export const CHECKED: readonly Checked[] = [
  {
    name: 'numpy',
    imports: 'import numpy as np',
    work: 'float((np.arange(90000.0).reshape(300, 300) @ np.ones((300, 300))).sum() + n)',
    raises: 'np.linalg.inv(np.zeros((2, 2)))',
    unique: ['np.random.rand()', 'np.random.default_rng().random()', 'np.random.RandomState().rand()'],
  },
  {
    name: 'pandas',
    imports: 'import numpy as np, pandas as pd',
    work: 'pd.DataFrame({"a": range(99), "b": [i % 3 for i in range(99)]}).groupby("b").a.sum().tolist()[n % 3]',
    raises: 'pd.to_datetime("nonsense")',
    unique: ['np.random.rand()', 'pd.Series(range(1000)).sample(5).tolist()'],
  },
  {
    name: 'scikit-learn',
    imports:
      'import numpy as np\nfrom sklearn.cluster import KMeans\nfrom sklearn.ensemble import RandomForestClassifier',
    work: 'round(float(KMeans(2, n_init=1, random_state=0).fit(np.arange(800.0).reshape(400, 2) % 97 + n).inertia_), 4)',
    raises: 'KMeans(2).fit([[1.0]])',
    without: ['no file may grow'], // joblib tries whether it can make a semaphore
    unique: ['np.random.rand()'],
    programs: {
      jobs: 'x = np.arange(400.0).reshape(100, 4) % 7\nprint(RandomForestClassifier(20, random_state=0, n_jobs=2).fit(x, x[:, 0] > 3).predict(x).sum())',
    },
  },
  {
    name: 'lxml',
    imports: 'from lxml import etree, html, objectify',
    work: 'etree.tostring(etree.XML("<a><b>%d</b></a>" % n).xpath("//b")[0])',
    raises: 'etree.fromstring("<a>")',
  },
  {
    name: 'cryptography',
    imports:
      'from cryptography.fernet import Fernet as F\nfrom cryptography.hazmat.primitives.asymmetric import ec, ed25519\nfrom cryptography.hazmat.primitives import hashes',
    work: '[F(k).decrypt(F(k).encrypt(b"text %d" % n)) for k in [F.generate_key()]]',
    raises: 'F(b"A" * 43 + b"=").decrypt(b"nonsense")',
    unique: [
      'F.generate_key()',
      'ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value',
      'ed25519.Ed25519PrivateKey.generate().sign(b"x").hex()',
    ],
  },
  {
    name: 'pydantic',
    imports: 'from pydantic import BaseModel, create_model, TypeAdapter',
    work: 'create_model("M", a=(int, 0), b=(list[float], []))(a=str(n), b=[n]).model_dump_json()',
    raises: 'create_model("M", a=(int, 0))(a="x")',
  },
  {
    name: 'pillow',
    imports: 'import io\nfrom PIL import Image, ImageDraw, ImageFilter, PngImagePlugin, JpegImagePlugin',
    work: 'Image.new("RGB", (64, 64), (n, 9, 9)).filter(ImageFilter.BLUR).resize((2, 2)).getpixel((1, 1))',
    raises: 'Image.open(io.BytesIO(b"nonsense"))',
    programs: {
      formats:
        'for kind in "PNG", "JPEG":\n    file = io.BytesIO(); Image.new("RGB", (9, 9), "red").save(file, kind); print(kind, Image.open(io.BytesIO(file.getvalue())).convert("RGB").getpixel((4, 4)))',
    },
  },
  {
    name: 'sqlalchemy',
    imports: 'import sqlalchemy as s\nfrom sqlalchemy import orm',
    work: '[(c.execute(s.text("select :n * 7"), {"n": n}).scalar(), c.close())[0] for c in [s.create_engine("sqlite://").connect()]]',
    raises: 's.text("select :a").bindparams(b=1)',
  },
  {
    name: 'torch',
    needs: ['numpy'],
    imports: 'import torch, torch.utils.data',
    work: '(torch.ones(300, 300) @ torch.ones(300, 300)).sum().item() + n',
    raises: 'torch.ones(2) @ torch.ones(3)',
    without: ['no file may grow', 'little address space'], // it cannot be imported there
    unique: ['torch.rand(1).item()', 'torch.Generator().seed()', 'torch.initial_seed()'],
    programs: TORCH_PROGRAMS,
  },
  {
    name: 'pyarrow',
    imports: 'import pyarrow as pa, pyarrow.compute as pc',
    work: 'pc.sum(pa.array(range(99))).as_py() + n',
    raises: 'pa.array([1, "a"])',
  },
];

/** What all processes of one machine draw for themselves. */
const DRAWN = ['random.random()', 'uuid.uuid4()', 'os.urandom(8).hex()', 'tempfile.mktemp()'];

/** Scripts by their names. */
export function programsOf({
  imports,
  work,
  raises,
  programs = {},
}: Checked): Readonly<Record<string, string>> {
  const begin = `${imports}\ndef work(n): return ${work}\n`;
  return {
    work: `${begin}print([work(n) for n in range(4)])`,
    error: `${begin}try: ${raises}\nexcept Exception as e: print(type(e).__name__, str(e)[:300])`,
    uncaught: `import sys\n${begin}sys.excepthook = lambda kind, *rest: print("uncaught", kind.__name__)\n${raises}`,
    threads: `${begin}from concurrent.futures import ThreadPoolExecutor
def both(n):
    try: ${raises}
    except Exception as e: return work(n), type(e).__name__
with ThreadPoolExecutor(8) as pool: print(list(pool.map(both, range(32))))`,
    forks: `import os\n${begin}print(work(1), flush=True)
for n in range(3):
    if os.fork() == 0: print(n, work(n), flush=True); os._exit(n)
    print(os.waitstatus_to_exitcode(os.wait()[1]), work(n), flush=True)`,
    processes: `import multiprocessing\n${begin}def main():
    for how in "fork", "spawn", "forkserver":
        with multiprocessing.get_context(how).Pool(2) as pool: print(how, pool.map(work, range(6)), flush=True)
if __name__ == "__main__": main()`,
    ...Object.fromEntries(Object.entries(programs).map(([name, text]) => [name, begin + text])),
  };
}

export function uniqueProgram({imports, unique = []}: Checked): string {
  return `import os, random, tempfile, uuid\n${imports}\nprint(*[str(each).replace(" ", "") for each in (${[...DRAWN, ...unique].join(', ')},)])`;
}

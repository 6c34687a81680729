import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {clearFile} from '../fs/removal.js';
import {attempt} from '../fs/files.js';
import {statFile} from '../fs/path-state.js';
import {readRegularText} from '../fs/regular-file.js';
import {withTemporaryFolder} from '../fs/temporary-folder.js';
import {runProcess} from '../exec/process.js';
import {err, fail, ok, type Result} from '../model/result.js';

/** The environment of the signing tools. */
export interface SigningRun {
  /** All of their environment: HOME, and SSH_AUTH_SOCK for keys that an agent holds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A signing tool and its arguments. */
interface Signer {
  readonly tool: string;
  readonly package: string;
  /** What is appended to the name of the signed file. */
  readonly suffix: string;
  readonly sign: (file: string, key: string) => readonly string[];
}

/** What the signature is for: one that was made for something else does not count (ssh-keygen(1), -n). */
const NAMESPACE = 'flashfreeze';

const SSH: Signer = {
  tool: 'ssh-keygen',
  package: 'openssh-client',
  suffix: '.sig',
  sign: (file, key) => ['-Y', 'sign', '-q', '-n', NAMESPACE, '-f', key, file],
};
const MINISIGN: Signer = {
  tool: 'minisign',
  package: 'minisign',
  suffix: '.minisig',
  // Comments would hold the time and the name of the file on this machine.
  sign: (file, key) => ['-S', '-s', key, '-m', file, '-c', NAMESPACE, '-t', NAMESPACE],
};

/**
 * Signs a file with a key of ssh (also a public one, whose other half an agent holds) or a secret key of minisign, by the tool
 * that it belongs to; returns the signature's path. Fails with USAGE for another key, NO_TOOL, and with the tool's words.
 */
export async function signFile(file: string, key: string, run: SigningRun): Promise<Result<string>> {
  const text = await readRegularText(key, 'latin1').catch(() => undefined);
  if (text === undefined) return fail('USAGE', `cannot read the key ${key}`);
  const signer = text.includes('minisign') ? MINISIGN : SSH;
  if (signer === SSH && !/PRIVATE KEY-----|^(ssh|ecdsa|sk)-\S+ /.test(text)) {
    return fail('USAGE', `${key} is neither an SSH key nor a minisign key`);
  }
  const signature = `${file}${signer.suffix}`;
  // ssh-keygen asks before it writes over one.
  const cleared = await attempt('remove', signature, () => clearFile(signature));
  if (!cleared.ok) return cleared;
  const done = await ask(signer, signer.sign(file, key), run);
  if (!done.ok) return done;
  if (done.value === undefined && statFile(signature) !== undefined) return ok(signature);
  return fail('USAGE', `${signer.tool} could not sign ${file} with ${key}`, {details: done.value});
}

/** A file, and the content that is used of it: the signature counts for this, whatever the file is a moment later. */
export interface SignedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Checks the signature beside a file: `signers` is a file of allowed signers (ssh-keygen(1)) or a public key of minisign. Returns
 * who signed. Fails with VERIFY when there is no signature or it is not theirs, with USAGE for another file, and NO_TOOL.
 */
export async function checkSignature(
  {path: file, bytes}: SignedFile,
  signers: string,
  run: SigningRun,
): Promise<Result<string>> {
  const text = await readRegularText(signers, 'latin1').catch(() => undefined);
  if (text === undefined) return fail('USAGE', `cannot read the allowed signers ${signers}`);
  const signer = text.includes('minisign public key') ? MINISIGN : SSH;
  const signature = `${file}${signer.suffix}`;
  if (statFile(signature) === undefined)
    return fail('VERIFY', `${file} is not signed: ${signature} not found`);
  if (signer === MINISIGN) {
    // It reads the file itself, so it gets a copy that nobody else can replace.
    const checked = await withTemporaryFolder('signature', async (folder) => {
      const copy = join(folder, 'signed');
      const written = await attempt('write', copy, () => writeFile(copy, bytes));
      if (!written.ok) return written;
      return ask(MINISIGN, ['-V', '-q', '-p', signers, '-x', signature, '-m', copy], run);
    });
    if (!checked.ok) return checked;
    return checked.value === undefined ? ok(`the key ${signers}`) : refused(file, signers, checked.value);
  }
  const found = await start(SSH, ['-Y', 'find-principals', '-s', signature, '-f', signers], run);
  if (!found.ok) return found;
  const [principal = ''] = found.value.stdout.split('\n');
  if (found.value.exitCode !== 0 || principal === '') return refused(file, signers, found.value.stderr);
  const args = ['-Y', 'verify', '-f', signers, '-I', principal, '-n', NAMESPACE, '-s', signature];
  const checked = await start(SSH, args, run, bytes);
  if (!checked.ok) return checked;
  const {exitCode, stdout, stderr} = checked.value;
  return exitCode === 0 ? ok(principal) : refused(file, signers, stdout + stderr);
}

function refused(file: string, signers: string, details: string): Result<never> {
  return fail('VERIFY', `the signature of ${file} is not by one of ${signers}`, {details: details.trim()});
}

/** The tool's output, if it failed. */
async function ask(
  signer: Signer,
  args: readonly string[],
  run: SigningRun,
): Promise<Result<string | undefined>> {
  const done = await start(signer, args, run);
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  return ok(exitCode === 0 ? undefined : (stdout + stderr).trim());
}

/** Runs a signing tool. It gets no passphrase, so it fails if it asks for one. */
async function start(
  {tool, package: name}: Signer,
  args: readonly string[],
  {environment, signal}: SigningRun,
  input: string | Uint8Array = '',
): ReturnType<typeof runProcess> {
  const done = await runProcess({file: tool, args, cwd: '/', environment, signal, input});
  if (done.ok || done.failure.code !== 'NO_TOOL') return done;
  return err({...done.failure, hint: `install ${tool} (the package ${name} on Debian)`});
}

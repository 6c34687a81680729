/** Where the real programs (`programs.ts`) run: a folder, and a server on the loopback interface. */
import {mkdirSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {makeDirectory} from './make-directory.js';
import type {Program, Workplace} from './programs.js';

/** Opens a workplace: the server runs, the folder is there, until it is closed. */
export async function openWorkplace(): Promise<{readonly work: Workplace; readonly close: () => void}> {
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const {url = '', method, headers} = request;
      answer.sendDate = false;
      answer.statusCode = Number(/^\/status\/(\d+)/.exec(url)?.[1] ?? 200);
      answer.setHeader('Content-Type', url.endsWith('.mp4') ? 'video/mp4' : 'application/json');
      answer.end(url.endsWith('.mp4') ? Buffer.alloc(400) : JSON.stringify({method, url, headers, body}));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const {port} = server.address() as AddressInfo;
  const folder = makeDirectory('programs');
  return {
    work: {folder, server: `http://127.0.0.1:${port}`},
    close() {
      rmSync(folder, {recursive: true, force: true});
      server.close();
    },
  };
}

/** An empty folder with what the program wants to find there. */
export function freshFolder(work: Workplace, program: Program): void {
  rmSync(work.folder, {recursive: true, force: true});
  mkdirSync(join(work.folder, 'tmp'), {recursive: true});
  program.prepare?.(work);
}

/** The options that freeze what the program imports. */
export function traceOptions(work: Workplace, program: Program): readonly string[] {
  return program.traces(work).flatMap((words) => ['--trace', words.map((word) => `'${word}'`).join(' ')]);
}

/** How many of the last tests a progress line tells of. */
const LAST = 3;
/** How many lines of a file's failures the end of a run repeats. */
const REPEATED_LINES = 40;

/**
 * Follows the events of a run (reporter.mjs).
 * @returns what there is to say of it: `line(now)` about what runs, `counts`, and `files`, each with its time
 */
export function followRun() {
  const running = new Map();
  const last = [];
  const files = [];
  const counts = {passed: 0, failed: 0, skipped: 0};
  return {
    counts,
    files,
    /** Takes an event in; gives the text to print at once, if any. */
    take(event) {
      const {file, name, at, ms} = event;
      switch (event.event) {
        case 'file-started':
          running.set(file, {name: '', since: at});
          return '';
        case 'case-started':
          running.set(file, {name, since: at});
          return '';
        case 'case':
          running.set(file, {name: '', since: at});
          if (event.status === 'passed' || event.status === 'failed') last.push(`${name} ${duration(ms)}`);
          last.splice(0, last.length - LAST);
          return '';
        default:
          running.delete(file);
          files.push({file, ms, failed: event.failed, message: event.message});
          for (const key of Object.keys(counts)) counts[key] += event[key];
          return fileText(event);
      }
    },
    line(now) {
      const what = [...running].map(
        ([file, {name, since}]) => `${file}${name === '' ? '' : ` › ${name}`} (${duration(now - since)})`,
      );
      const before = last.length === 0 ? '' : `; last: ${last.join(', ')}`;
      return `running ${what.join(' and ') || 'jest'}${before}`;
    },
  };
}

function fileText({file, ms, passed, failed, skipped, message, console}) {
  const counted = [
    passed > 0 && `${passed} passed`,
    failed > 0 && `${failed} failed`,
    skipped > 0 && `${skipped} skipped`,
  ].filter(Boolean);
  const head = `${failed > 0 ? 'FAIL' : 'pass'} ${file}  ${counted.join(', ')} (${duration(ms)})\n`;
  const printed = console === '' ? '' : `${console.trimEnd()}\n`;
  return failed > 0 ? `${head}${printed}${message.trimEnd()}\n\n` : `${head}${printed}`;
}

/** `0.4 s`, `12 s`, `2 min 5 s`. */
export function duration(ms) {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The slowest files, one a line; a file that ran in several parts counts once. */
export function slowest(files, count = 10) {
  const total = new Map();
  for (const {file, ms} of files) total.set(file, (total.get(file) ?? 0) + ms);
  const lines = [...total]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([file, ms]) => `  ${duration(ms).padStart(12)}  ${file}\n`);
  return lines.length === 0 ? '' : `slowest test files:\n${lines.join('')}`;
}

/** What failed, once more: of a long log, often only the end is kept. */
export function failures(files) {
  const texts = files
    .filter(({failed}) => failed > 0)
    .map(({file, message}) => `FAIL ${file}\n${shortened(message.trimEnd().split('\n'))}\n`);
  return texts.length === 0 ? '' : `failed:\n${texts.join('')}`;
}

function shortened(lines) {
  const left = lines.length - REPEATED_LINES;
  return [...lines.slice(0, REPEATED_LINES), ...(left > 0 ? [`  … ${left} more lines above`] : [])].join(
    '\n',
  );
}

/**
 * What tests did not find on this machine, one a line, with the files that skipped something for it.
 * @param {string} text lines of test/support/not-found.ts: JSON objects with `name` and `file`
 */
export function notFound(text) {
  const files = new Map();
  for (const line of text.split('\n').filter(Boolean)) {
    const {name, file} = JSON.parse(line);
    files.set(name, (files.get(name) ?? new Set()).add(file));
  }
  if (files.size === 0) return '';
  const lines = [...files].sort().map(([name, of]) => `  ${name}: ${[...of].sort().join(' ')}\n`);
  return `skipped, because this machine lacks it or nobody asked for it:\n${lines.join('')}`;
}

import type {Clock} from './clock.js';

/** The reason for a build: the paths that changed since the last build began. */
export type Changes = ReadonlySet<string>;

/** `blocked`: the build could not start, and is retried even if nothing changes. */
export type BuildEnd = 'done' | 'blocked';

/** The pattern of changes: most saves touch one file; switching a branch or unpacking an archive touches many. */
export type ChangeKind = 'written' | 'removed';

/** A save is over after this many milliseconds without another change. */
const QUIET_AFTER_SAVE_MS = 25;
/** Many editors remove a file before they write it again. */
const QUIET_AFTER_REMOVAL_MS = 120;
const QUIET_IN_BURST_MS = 250;
/** More changed files than this are not a single save. */
const BURST = 8;
/** The maximum delay of a build while changes continue. */
const PATIENCE_MS = 5000;
const RETRY_MS = 1000;

/**
 * Turns changes into builds, one at a time. A build is never cancelled: the next one uses its results,
 * and begins when it is over.
 *
 *              changed              quiet                 done
 *     idle ─────────────► settling ─────────► building ─────────────► idle
 *                           ▲  │ changed        │   │ blocked
 *                           └──┘                │   └───────────────► settling (until it is time to try again)
 *                           ▲                   │ changed
 *                           │     done          ▼
 *                           └─────────────── overtaken
 *
 *     stop() leads from everywhere to stopped, from where nothing leads away.
 */
export class BuildCycle {
  private state: 'idle' | 'settling' | 'building' | 'overtaken' | 'stopped' = 'idle';
  private changes = new Set<string>();
  private firstChange = 0;
  private sawRemoval = false;
  private cancelTimer: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  /** @param build never rejects; gets what changed, which is nothing the first time */
  constructor(
    private readonly clock: Clock,
    private readonly build: (changes: Changes) => Promise<BuildEnd>,
  ) {}

  /** Builds now. Resolves when that build is over. */
  start(): Promise<void> {
    if (this.state === 'idle') this.begin();
    return this.running;
  }

  changed(path: string, kind: ChangeKind): void {
    if (this.state === 'stopped') return;
    if (this.changes.size === 0) this.firstChange = this.clock.now();
    this.changes.add(path);
    this.sawRemoval ||= kind === 'removed';
    if (this.state === 'building') this.state = 'overtaken';
    else if (this.state !== 'overtaken') this.settle(this.quiet());
  }

  /** No further build begins. Resolves when none is running any more. */
  stop(): Promise<void> {
    this.state = 'stopped';
    this.cancelTimer();
    return this.running;
  }

  private quiet(): number {
    if (this.changes.size > BURST) return QUIET_IN_BURST_MS;
    return this.sawRemoval ? QUIET_AFTER_REMOVAL_MS : QUIET_AFTER_SAVE_MS;
  }

  private settle(quietMs: number): void {
    this.state = 'settling';
    this.cancelTimer();
    const left = this.firstChange + PATIENCE_MS - this.clock.now();
    this.cancelTimer = this.clock.after(Math.max(0, Math.min(quietMs, left)), () => {
      this.begin();
    });
  }

  private begin(): void {
    const changes = this.changes;
    this.changes = new Set();
    this.sawRemoval = false;
    this.state = 'building';
    this.running = this.build(changes).then((end) => {
      this.ended(end, changes);
    });
  }

  private ended(end: BuildEnd, changes: Changes): void {
    if (this.state === 'stopped') return;
    const overtaken = this.state === 'overtaken';
    if (end === 'blocked') {
      if (!overtaken) this.firstChange = this.clock.now();
      for (const path of changes) this.changes.add(path);
      this.settle(RETRY_MS);
    } else if (overtaken) {
      this.settle(this.quiet());
    } else {
      this.state = 'idle';
    }
  }
}

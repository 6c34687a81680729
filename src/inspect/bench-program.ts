/** An interpreter to measure. */
export interface BenchProgram {
  readonly python: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

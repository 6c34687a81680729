import type {Account} from '../engine/causes.js';
import type {ActionId} from '../model/action.js';
import {duration} from './wording.js';

/** An action of a build. */
export interface GraphNode {
  readonly id: ActionId;
  readonly outcome: Account['outcome'] | 'fresh';
  /** How long it took; null for what was up to date. */
  readonly ms: number | null;
  readonly reason: string;
}

/** An action that reads what another one made. */
export interface GraphEdge {
  readonly from: ActionId;
  readonly to: ActionId;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

const FILL: Readonly<Record<GraphNode['outcome'], string>> = {
  executed: '#f6c89a',
  cached: '#bcd4fb',
  remote: '#d3c7f5',
  fresh: '#eef1f5',
  failed: '#f3a6b2',
};

/** A graph in the language of Graphviz: what ran is coloured, and says how long it took. */
export function dotOf({nodes, edges}: Graph): string {
  const lines = nodes.map(({id, outcome, ms, reason}) => {
    const label = ms === null ? id : `${id}\n${duration(ms)}`;
    return `  ${quoted(id)} [label=${quoted(label)}, fillcolor="${FILL[outcome]}", tooltip=${quoted(`${outcome}: ${reason}`)}];`;
  });
  const arrows = edges.map(({from, to}) => `  ${quoted(from)} -> ${quoted(to)};`);
  return [
    'digraph build {',
    '  rankdir=LR;',
    '  node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11, color="#94a0b3"];',
    '  edge [color="#94a0b3", arrowsize=0.7];',
    ...lines,
    ...arrows,
    '}',
  ].join('\n');
}

/** A quoted string of the dot language: only quotes need care, and backslashes, which begin its escapes. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

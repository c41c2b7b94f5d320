import { findAngleTags } from '../src/angle-tags.js';

/** How to rewrite a template. */
export interface Rewriting {
  /** What a call of `helper` answers whenever it is made, if that is known now. */
  constant(helper: string, name: string | undefined): string | undefined;
  /** The text of an escaped value, if it is known now how it is to be escaped. */
  escape(text: string): string | undefined;
  /** Throws where `helper` must not be called with a named argument. */
  refuseKey(helper: string, key: string, loc: Location | undefined): void;
  /** The statement that a tag's code makes; `undefined`, or an error, where it makes none. */
  parseTag(code: string, at: Position): TreeNode | undefined;
}

/** Names that block parameters have taken, such as `static` in `{{#each x as |static|}}`. */
type Taken = ReadonlySet<string>;

/** The tree with its static tags rewritten. The caller may hold the one it gave: it stays as it is. */
export function rewriteTree(program: TreeNode, rewriting: Rewriting): TreeNode {
  return rewriteProgram(program, rewriting, new Set());
}

function rewriteProgram(program: TreeNode, rewriting: Rewriting, outer: Taken): TreeNode {
  const taken = program.blockParams ? new Set([...outer, ...program.blockParams]) : outer;
  const body = (program.body ?? []).flatMap((node) => rewriteStatement(node, rewriting, taken));
  return { ...program, body };
}

function rewriteStatement(
  node: TreeNode,
  rewriting: Rewriting,
  taken: Taken,
): TreeNode | TreeNode[] {
  if (node.type === 'ContentStatement') return splitContent(node, rewriting, taken);
  if (isRawBlock(node)) return node;
  const text = node.type === 'MustacheStatement' ? textOf(node, rewriting, taken) : undefined;
  if (text !== undefined) {
    return { type: 'ContentStatement', original: text, value: text, loc: node.loc };
  }
  const { program, inverse } = node;
  return {
    ...rewriteArguments(node, rewriting, taken),
    ...(program && { program: rewriteProgram(program, rewriting, taken) }),
    ...(inverse && { inverse: rewriteProgram(inverse, rewriting, taken) }),
  };
}

function rewriteArguments(node: TreeNode, rewriting: Rewriting, taken: Taken): TreeNode {
  const { params, hash, name } = node;
  const helper = helperOf(node, taken);
  const [pair] = hash?.pairs ?? [];
  if (helper !== undefined && pair !== undefined) rewriting.refuseKey(helper, pair.key, node.loc);
  const rewrite = (value: TreeNode) => rewriteExpression(value, rewriting, taken);
  return {
    ...node,
    ...(params && { params: params.map(rewrite) }),
    ...(hash?.pairs && {
      hash: { ...hash, pairs: hash.pairs.map((pair) => ({ ...pair, value: rewrite(pair.value) })) },
    }),
    ...(typeof name === 'object' && { name: rewrite(name) }),
  };
}

function rewriteExpression(node: TreeNode, rewriting: Rewriting, taken: Taken): TreeNode {
  if (node.type !== 'SubExpression') return node;
  const url = constantOf(node, rewriting, taken);
  if (url === undefined) return rewriteArguments(node, rewriting, taken);
  return { type: 'StringLiteral', value: url, original: url, loc: node.loc };
}

function textOf(node: TreeNode, rewriting: Rewriting, taken: Taken): string | undefined {
  const value = constantOf(node, rewriting, taken);
  return value !== undefined && node.escaped ? rewriting.escape(value) : value;
}

/** What a call with one literal name, or none, answers each time, if it does. */
function constantOf(node: TreeNode, rewriting: Rewriting, taken: Taken): string | undefined {
  const { params = [], hash } = node;
  const helper = helperOf(node, taken);
  if (helper === undefined || hash?.pairs?.length) return undefined;
  const [name, ...others] = params;
  if (name === undefined) return rewriting.constant(helper, undefined);
  if (name.type !== 'StringLiteral' || others.length > 0) return undefined;
  return rewriting.constant(helper, String(name.value));
}

function helperOf({ path }: TreeNode, taken: Taken): string | undefined {
  const helper = path?.type === 'PathExpression' ? path.original : undefined;
  return typeof helper === 'string' && !taken.has(helper) ? helper : undefined;
}

/** The text between tags, with a statement for each `<<static …>>` in it. */
function splitContent(
  content: TreeNode,
  rewriting: Rewriting,
  taken: Taken,
): TreeNode | TreeNode[] {
  const text = String(content.value);
  const pieces: TreeNode[] = [];
  let from = 0;
  for (const { start, end, code } of findAngleTags(text)) {
    const tag = parsed(rewriting, code, locate(content, start));
    if (tag === undefined) continue; // text that only looks like a tag
    if (start > from) pieces.push({ ...content, value: text.slice(from, start) });
    pieces.push(...[rewriteStatement(tag, rewriting, taken)].flat());
    from = end;
  }
  if (from === 0) return content;
  if (from < text.length) pieces.push({ ...content, value: text.slice(from) });
  return pieces;
}

function parsed(rewriting: Rewriting, code: string, at: Position): TreeNode | undefined {
  try {
    return rewriting.parseTag(code, at);
  } catch {
    return undefined; // the engine's grammar decides what is a tag; text is no error
  }
}

/** The place of a tag in a text. Whitespace that the engine has taken away before it counts. */
function locate({ original, value, loc }: TreeNode, offset: number): Position {
  const whole = String(original);
  const lines = whole.slice(0, whole.indexOf(String(value)) + offset).split(/\r\n?|\n/);
  const { line, column } = loc?.start ?? { line: 1, column: 0 };
  const last = (lines.at(-1) ?? '').length;
  return lines.length === 1
    ? { line, column: column + last }
    : { line: line + lines.length - 1, column: last };
}

/** `{{{{raw}}}}…{{{{/raw}}}}`, the only block that says nothing of whitespace. */
function isRawBlock({ type, openStrip }: TreeNode): boolean {
  return type === 'BlockStatement' && openStrip !== undefined && !('open' in openStrip);
}

// What is used of the syntax tree:
// https://github.com/handlebars-lang/handlebars.js/blob/4.x/docs/compiler-api.md

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Location {
  readonly source?: string;
  readonly start: Position;
}

/** A node of any type, with the fields that matter here. */
export interface TreeNode {
  readonly type: string;
  readonly body?: readonly TreeNode[];
  readonly blockParams?: readonly string[];
  readonly path?: TreeNode;
  readonly name?: TreeNode | string;
  readonly params?: readonly TreeNode[];
  readonly hash?: {
    readonly pairs?: readonly { readonly key: string; readonly value: TreeNode }[];
  };
  readonly program?: TreeNode;
  readonly inverse?: TreeNode;
  readonly escaped?: boolean;
  readonly value?: unknown;
  readonly original?: unknown;
  readonly openStrip?: object;
  readonly loc?: Location | undefined;
}

import { findAngleTags } from '../src/angle-tags.js';

/** How to rewrite a template. */
export interface Rewriting {
  /** The URL of a name that may be written down. */
  url(name: string): string | undefined;
  readonly mediaPrefix: string;
  escape(text: string): string;
  /** The statement that a tag's code makes; throws where it is none. */
  readonly parseTag: ((code: string) => TreeNode | undefined) | undefined;
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
  if (node.type === 'MustacheStatement') {
    const url = constantOf(node, rewriting, taken);
    if (url !== undefined) {
      const value = node.escaped ? rewriting.escape(url) : url;
      return { type: 'ContentStatement', original: value, value, loc: node.loc };
    }
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

/** The URL that a call of our helpers answers each time, if it does. */
function constantOf(node: TreeNode, rewriting: Rewriting, taken: Taken): string | undefined {
  const { path, params = [], hash } = node;
  const helper = path?.original;
  if (typeof helper !== 'string' || path?.type !== 'PathExpression') return undefined;
  if (taken.has(helper)) return undefined;
  if (hash?.pairs?.length) return undefined;
  const [name, ...others] = params;
  if (helper === 'static' && name?.type === 'StringLiteral' && others.length === 0) {
    return rewriting.url(String(name.value));
  }
  if (name !== undefined) return undefined;
  if (helper === 'get_static_prefix') return rewriting.url('');
  return helper === 'get_media_prefix' ? rewriting.mediaPrefix : undefined;
}

/** The text between tags, with a statement for each `<<static …>>` in it. */
function splitContent(
  content: TreeNode,
  rewriting: Rewriting,
  taken: Taken,
): TreeNode | TreeNode[] {
  const { parseTag } = rewriting;
  const text = String(content.value);
  const pieces: TreeNode[] = [];
  let from = 0;
  for (const { start, end, code } of parseTag ? findAngleTags(text) : []) {
    const tag = parsed(parseTag, code);
    if (tag === undefined) continue; // text that only looks like a tag
    if (start > from) pieces.push({ ...content, value: text.slice(from, start) });
    const loc = locate(content, start);
    pieces.push(...[rewriteStatement({ ...tag, loc }, rewriting, taken)].flat());
    from = end;
  }
  if (from === 0) return content;
  if (from < text.length) pieces.push({ ...content, value: text.slice(from) });
  return pieces;
}

function parsed(parseTag: Rewriting['parseTag'], code: string): TreeNode | undefined {
  try {
    return parseTag?.(code);
  } catch {
    return undefined; // the engine's grammar decides what is a tag; text is no error
  }
}

/** The place of a tag in a text. Whitespace that the engine has taken away before it counts. */
function locate(content: TreeNode, offset: number): Location | undefined {
  if (content.loc === undefined) return undefined;
  const original = String(content.original);
  const before = original.slice(0, original.indexOf(String(content.value)) + offset);
  const lines = before.split('\n');
  const { start } = content.loc;
  const column = (lines.at(-1) ?? '').length + (lines.length === 1 ? start.column : 0);
  const position = { line: start.line + lines.length - 1, column };
  return { ...content.loc, start: position, end: position };
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

interface Location {
  readonly source?: string;
  readonly start: Position;
  readonly end: Position;
}

/** A node of any type, with the fields that matter here. */
export interface TreeNode {
  readonly type: string;
  readonly body?: readonly TreeNode[];
  readonly blockParams?: readonly string[];
  readonly path?: TreeNode;
  readonly name?: TreeNode | string;
  readonly params?: readonly TreeNode[];
  readonly hash?: { readonly pairs?: readonly { readonly value: TreeNode }[] };
  readonly program?: TreeNode;
  readonly inverse?: TreeNode;
  readonly escaped?: boolean;
  readonly value?: unknown;
  readonly original?: unknown;
  readonly openStrip?: object;
  readonly loc?: Location | undefined;
}

/** A file that a request asks for. */
export interface Located {
  readonly path: string;
  readonly cacheControl: string;
}

/** The way from the paths below one base URL to files. */
export interface Route {
  /** The path that its requests begin with; ends in `/`. */
  readonly prefix: string;
  /** The file of a name; `undefined`: there is none. The name is safe. */
  locate(name: string): Located | undefined;
}

/** What hashing names and rewriting references must know of the project. */
export interface HashingRules {
  /** Changes with what they say of references, and with how files are compressed. */
  readonly digest: string;
  readonly staticUrl: string;
  /** Whether a reference to a file that is not there stops collecting. */
  readonly missingIsError: boolean;
  /** Whether references from a file of that name to a name, or as they are written, are left alone. */
  isIgnored(from: string, target: string): boolean;
  /** Whether a name has a hash already, and stays. */
  isPrehashed(name: string): boolean;
  /** Whether a file is wanted under its plain name besides. */
  keeps(name: string): boolean;
  /** Whether plain names are symbolic links to the sources. */
  readonly link: boolean;
}

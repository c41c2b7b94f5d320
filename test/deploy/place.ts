import { PutBucketAclCommand, S3Client } from '@aws-sdk/client-s3';
import { createStaticFiles } from '../../src/static-files.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { project } from '../project.js';
import { swift } from '../swift.js';
import type { Release } from './releases.js';

const at = (path: string) => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);

/** Plain names would only be more to send: no page refers to them. */
const HASHING = { refresh: '500ms', keepOriginals: false };

/** A bucket of Swift whose files everybody may read. */
export interface Place {
  readonly endpoint: string;
  /** Where everybody reads the files, and ends in `/`. */
  readonly publicUrl: string;
  /** The text of a configuration that collects there, by the address in the variable STORE. */
  readonly config: string;
  /** What the manifest says that everybody would read now: names and hashed names. */
  paths(): Promise<Readonly<Record<string, string>>>;
  /** The hashed names of those that nobody can read. */
  missing(names: Iterable<string>): Promise<string[]>;
}

export async function place(): Promise<Place> {
  const { endpoint, region, credentials, bucket } = await swift();
  const name = await bucket();
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  // Swift takes that as its own container ACL, but lets nobody in by S3's addresses without a signature.
  await client.send(new PutBucketAclCommand({ Bucket: name, ACL: 'public-read' }));
  client.destroy();
  const publicUrl = `${endpoint}/v1/AUTH_test/${name}/`;
  const store = { bucket: name, region, credentials, forcePathStyle: true, publicUrl };
  return {
    endpoint,
    publicUrl,
    config: `import { hashedStorage } from ${at('src/index.js')};
      import { s3Storage } from ${at('adapters/s3.js')};
      const over = s3Storage({ ...${JSON.stringify(store)}, endpoint: process.env.STORE });
      export default { dirs: ['static'], debug: false, storage: hashedStorage({ over, ...${JSON.stringify(HASHING)} }) };`,
    async paths() {
      const response = await fetch(`${publicUrl}staticfiles.json`);
      return ((await response.json()) as { paths: Record<string, string> }).paths;
    },
    async missing(names) {
      const gone: string[] = [];
      for (const hashedName of names) {
        const { status } = await fetch(publicUrl + hashedName, { method: 'HEAD' });
        if (status !== 200) gone.push(hashedName);
      }
      return gone;
    },
  };
}

/** The names and hashed names that a release comes to, by collecting it on this machine. */
export async function pathsOf({ root }: Release): Promise<Record<string, string>> {
  const over = fileSystemStorage({ root: project({}) });
  const storage = hashedStorage({ over });
  const files = createStaticFiles({ baseDir: root, dirs: ['static'], storage, debug: false });
  await files.collect();
  const manifest = await over.read('staticfiles.json');
  return JSON.parse(String(Buffer.from(manifest ?? []))).paths;
}

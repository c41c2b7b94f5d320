import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';

const SERVER = fileURLToPath(new URL('../../test/swift-server.py', import.meta.url));

/**
 * A store with S3's API: the one at S3_ENDPOINT, whose keys the SDK finds in the environment; without
 * that, an OpenStack Swift of our own, whose files lie where TMPDIR is.
 */
export async function startStore() {
  const { endpoint, env, stop } = process.env.S3_ENDPOINT ? existing() : await startSwift();
  Object.assign(process.env, env);
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 10,
  });
  return {
    endpoint,
    /** What programs need to know besides the endpoint. */
    env,
    async bucket() {
      const name = `bench-${crypto.randomUUID()}`;
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return name;
    },
    /** How many objects a listing tells of, and the size of the manifest among them. */
    async look(bucket) {
      let objects = 0;
      let manifestBytes;
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket })) {
        objects += page.KeyCount;
        manifestBytes ??= page.Contents?.find(({ Key }) => Key === 'staticfiles.json')?.Size;
      }
      return { objects, manifestBytes };
    },
    async stop() {
      client.destroy();
      await stop();
    },
  };
}

function existing() {
  const env = { AWS_REGION: process.env.AWS_REGION ?? 'us-east-1' };
  return { endpoint: process.env.S3_ENDPOINT, env, async stop() {} };
}

async function startSwift() {
  const python = process.env.PYTHON ?? '/usr/bin/python3';
  const child = spawn(python, [SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    ended.then(() => {
      throw new Error('Swift did not start. `sh test/setup.sh` installs it.');
    }),
  ]);
  const { endpoint, region } = JSON.parse(line);
  return {
    endpoint,
    env: {
      AWS_ACCESS_KEY_ID: 'test:tester',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: region,
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

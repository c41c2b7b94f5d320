import { randomBytes } from 'node:crypto';
import {
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { swift, swiftMissing, withoutSwift } from './swift.js';

describe.skipIf(swiftMissing)(`Swift, for tests${withoutSwift}`, () => {
  test('keeps what it is sent, for those who may', async () => {
    const { endpoint, region, credentials, reader, bucket } = await swift();
    const Bucket = await bucket();
    const connection = { endpoint, region, forcePathStyle: true };
    const client = new S3Client({
      ...connection,
      credentials,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    const body = randomBytes(1_000_000);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: body }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(body.equals((await Body?.transformToByteArray()) ?? Buffer.of())).toBe(true);
    const other = new S3Client({ ...connection, credentials: reader });
    await expect(other.send(new ListBucketsCommand())).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(other.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

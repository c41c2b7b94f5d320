import { describe } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { storageContract } from '../contracts/storage.js';
import { swift, swiftMissing, withoutSwift } from '../swift.js';

/** Swift answers 501 to conditions, and takes no times of change. */
const TRAITS = {
  recordsTimes: false,
  checksMd5: true,
  hasEntries: true,
  hasVersions: true,
  writeIf: 'unsupported',
} as const;

describe.skipIf(swiftMissing)(`s3Storage on Swift${withoutSwift}`, () => {
  const make = async (options = {}) => {
    const { endpoint, credentials, bucket } = await swift();
    return s3Storage({ bucket: await bucket(), endpoint, credentials, ...options });
  };
  storageContract('s3Storage', () => make(), TRAITS);
  storageContract('s3Storage with a prefix', () => make({ prefix: 'sites/static' }), TRAITS);
});

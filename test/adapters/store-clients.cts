// What the compiler takes from CommonJS, where the SDKs' classes have types of their own.
import s3 = require('@aws-sdk/client-s3');
import azure = require('@azure/storage-blob');
import azureAdapter = require('../../adapters/azure.js');
import s3Adapter = require('../../adapters/s3.js');

const { azureStorage } = azureAdapter;
const container = 'static';
const url = 'https://account.blob.core.windows.net';
const accountKey = new azure.StorageSharedKeyCredential('account', 'a2V5');
const service = new azure.BlobServiceClient(url, accountKey);
const httpClient = { sendRequest: async () => Promise.reject(new Error('offline')) };
const token = { getToken: async () => ({ token: 'a', expiresOnTimestamp: 0 }) };

azureStorage({ client: service.getContainerClient(container) });
azureStorage({ container, url, credential: accountKey });
azureStorage({ container, url, credential: new azure.AnonymousCredential() });
azureStorage({ container, url, credential: token, clientOptions: { httpClient } });
s3Adapter.s3Storage({ bucket: 'static', client: new s3.S3Client({ region: 'eu-central-1' }) });

// @ts-expect-error: a service, and no container of it
azureStorage({ client: service });
// @ts-expect-error: what is no credential
azureStorage({ container, url, credential: { key: 'a2V5' } });

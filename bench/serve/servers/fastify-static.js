// node fastify-static.js PORT STATIC_ROOT: @fastify/static on Fastify.
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';

const [, , port, root] = process.argv;
const app = fastify({ logger: false });
const options = { preCompressed: true, maxAge: 31536000000, immutable: true, index: false };
await app.register(fastifyStatic, { root, prefix: '/static/', ...options });
await app.listen({ port: Number(port), host: '127.0.0.1' });

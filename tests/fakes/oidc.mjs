// A real provider of OpenID Connect for tests: node oidc.mjs REDIRECT_URI, in the folder of the page's packages.
// Whoever signs in with a name gets in; the name is the subject. Prints its issuer when it listens.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const redirectUris = process.argv.slice(2);
const { Provider } = await import(createRequire(`${process.cwd()}/`).resolve('oidc-provider'));
const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'table',
      client_secret: 'the-secret-of-the-table',
      redirect_uris: redirectUris,
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [{ ...key, use: 'sig', alg: 'ES256', kid: 'of-the-tests' }] },
  cookies: { keys: ['only-for-tests'] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      preferred_username: sub.split('@')[0],
      email: sub,
      email_verified: !sub.startsWith('unverified'),
    }),
  }),
  features: { devInteractions: { enabled: true } },
});
server.on('request', provider.callback());
console.log(issuer);
process.stdin.on('end', () => process.exit()).resume(); // ends with the test that started it

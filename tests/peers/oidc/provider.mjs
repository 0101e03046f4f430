// A real OpenID provider for the hub's tests: npm oidc-provider, certified, not ours. It draws a new signing key at each start.
// node provider.mjs PORT [CLIENT [FEATURES]], where CLIENT is one more client, and FEATURES what it can do beside, as JSON
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import Provider, { errors } from 'oidc-provider'

URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null) // Debian's Node 20 has not got it

const port = Number(process.argv[2])
const issuer = `http://127.0.0.1:${port}`
const { privateKey } = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
const jwk = await webcrypto.subtle.exportKey('jwk', privateKey)
delete jwk.key_ops
delete jwk.ext
const kid = createHash('sha256').update(jwk.x).digest('hex').slice(0, 16)

const secret = { client_secret: 'a-secret-of-this-test', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] },
  acrValues: ['eidas1', 'eidas2'],
  enabledJWA: { dPoPSigningAlgValues: ['ES256', 'Ed25519', 'PS256'] },
  scopes: ['openid'],
  clients: [
    { client_id: 'software', ...secret },
    { client_id: 'software-mtls', tls_client_certificate_bound_access_tokens: true, ...secret },
    { client_id: 'portal', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1:9/back'], grant_types: ['authorization_code'] },
    ...(process.argv[3] ? [JSON.parse(process.argv[3])] : []),
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: false },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: (ctx) => decodeURIComponent(ctx.get('x-client-certificate')) || undefined },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://hub.test',
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => {
        if (resource !== 'https://hub.test') throw new errors.InvalidTarget()
        return { scope: 'rights claims', audience: 'ecluse', accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } } }
      },
    },
    ...JSON.parse(process.argv[4] || '{}'),
  },
  formats: {
    customizers: {
      jwt: (ctx, token, { payload }) => {
        const login = ctx.oidc.entities.AuthorizationCode
        payload.sub = token.accountId ?? 'rpps:10000000001'
        Object.assign(payload, { practice: '370000028', profession: 'medecin', acr: login?.acr ?? 'eidas2', auth_time: login?.authTime })
      },
    },
  },
  claims: { openid: ['sub', 'practice', 'profession'] },
  conformIdTokenClaims: false, // as brokers of Pro Santé Connect do: where the person practises is in the ID token
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, practice: '370000028', profession: 'medecin' }) }),
  interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
  cookies: { keys: ['a key of this test'] },
  pkce: { required: () => true },
  fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }), // the hub is on this machine, which it will not ask
})

// The person logs in at the level that was asked for, and agrees; nobody has to click.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next()
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res)
  const now = Math.floor(Date.now() / 1000)
  if (params.login_hint === 'changed-my-mind') return provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied' }, {})
  if (prompt.name === 'login') {
    const login = { accountId: params.login_hint ?? 'rpps:10000000001', acr: params.acr_values?.split(' ')[0] ?? 'eidas1', ts: now }
    return provider.interactionFinished(ctx.req, ctx.res, { login }, { mergeWithLastSubmission: false })
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope('openid')
  grant.addResourceScope('https://hub.test', 'rights claims')
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
})

provider.listen(port, '127.0.0.1', () => console.log('ready'))

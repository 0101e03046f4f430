// Clients of a hub that are not ours: oauth4webapi (FAPI 2.0 certified) and dpop. Prints what they were told, as JSON.
// node client.mjs ISSUER HUB QUESTION WHAT, where WHAT is one of the functions below.
import * as dpop from 'dpop'
import * as oauth from 'oauth4webapi'

const [issuer, hub, question, what, ...rest] = process.argv.slice(2)
const insecure = { [oauth.allowInsecureRequests]: true } // the provider and the hub are on this machine, without TLS
const url = new URL('/v1/rights/checks', hub)
const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure))
const software = { client_id: 'software' }
const secret = oauth.ClientSecretBasic('a-secret-of-this-test')

// Once more when the server asks for its nonce, as RFC 9449 §8 and §9 say.
async function withNonce(call) {
  try {
    return await call()
  } catch (told) {
    if (!oauth.isDPoPNonceError(told)) throw told
    return call()
  }
}

async function softwareToken(DPoP) {
  const parameters = new URLSearchParams({ scope: 'rights claims', resource: 'https://hub.test' })
  return withNonce(async () => {
    const answer = await oauth.clientCredentialsGrantRequest(as, software, secret, parameters, { DPoP, ...insecure })
    return oauth.processClientCredentialsResponse(as, software, answer)
  })
}

async function ask(token, DPoP) {
  const headers = new Headers({ 'content-type': 'application/json' })
  try {
    const answer = await withNonce(() => oauth.protectedResourceRequest(token, 'POST', url, headers, question, { DPoP, ...insecure }))
    return { status: answer.status, body: await answer.json() }
  } catch (told) {
    if (!(told instanceof oauth.WWWAuthenticateChallengeError)) throw told
    return { status: told.status, body: await told.response.json(), challenges: told.cause }
  }
}

// The code flow with PKCE and DPoP, the browser being a fetch with cookies.
async function login(DPoP, parameters) {
  const portal = { client_id: 'portal' }
  const verifier = oauth.generateRandomCodeVerifier()
  let next = new URL(as.authorization_endpoint)
  next.search = new URLSearchParams({
    client_id: 'portal', response_type: 'code', redirect_uri: 'http://127.0.0.1:9/back', scope: 'openid rights claims',
    resource: 'https://hub.test', code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters,
  })
  const cookies = new Map()
  while (next.port !== '9') {
    const answer = await fetch(next, { redirect: 'manual', headers: { cookie: [...cookies].map((each) => each.join('=')).join('; ') } })
    for (const each of answer.headers.getSetCookie()) {
      const [name, value] = each.split(';')[0].split(/=(.*)/s)
      cookies.set(name, value)
    }
    next = new URL(answer.headers.get('location'), next)
  }
  const back = oauth.validateAuthResponse(as, portal, next)
  return withNonce(async () => {
    const asked = oauth.authorizationCodeGrantRequest(as, portal, oauth.None(), back, 'http://127.0.0.1:9/back', verifier, { DPoP, ...insecure })
    return oauth.processAuthorizationCodeResponse(as, portal, await asked)
  })
}

const newKey = () => oauth.generateKeyPair('ES256', { extractable: true })
const plays = {
  // oauth4webapi: a token bound to a key, used twice; then by somebody who has the token and another key, or no key.
  async software() {
    const key = await newKey()
    const DPoP = oauth.DPoP(software, key)
    const { access_token: token, token_type } = await softwareToken(DPoP)
    const answers = [await ask(token, DPoP), await ask(token, DPoP)]
    return { token, token_type, answers, thief: await ask(token, oauth.DPoP(software, await newKey())), bearer: await ask(token) }
  },
  // dpop: proofs of every algorithm, by hand beside fetch; the last is sent twice.
  async proofs() {
    const answers = {}
    for (const algorithm of ['ES256', 'Ed25519', 'PS256']) {
      const key = await dpop.generateKeyPair(algorithm)
      const { access_token: token } = await softwareToken(oauth.DPoP(software, key))
      const send = (proof) => fetch(url, { method: 'POST', body: question, headers: { authorization: `DPoP ${token}`, dpop: proof } })
      const first = await send(await dpop.generateProof(key, url.href, 'POST', undefined, token))
      const proof = await dpop.generateProof(key, url.href, 'POST', first.headers.get('dpop-nonce'), token)
      answers[algorithm] = [first.status, (await send(proof)).status, (await send(proof)).status]
    }
    return answers
  },
  // A person logs in too weakly, is told so, and logs in again as the challenge says (RFC 9470).
  async person() {
    const DPoP = oauth.DPoP({ client_id: 'portal' }, await newKey())
    const weak = await login(DPoP, {})
    const refused = await ask(weak.access_token, DPoP)
    const { acr_values } = refused.challenges[0].parameters
    const strong = await login(DPoP, { acr_values, prompt: 'login' })
    return { refused, accepted: await ask(strong.access_token, DPoP) }
  },
  // A token bound to the certificate that the provider saw.
  async certificate() {
    const client = { client_id: 'software-mtls' }
    const headers = new Headers({ 'x-client-certificate': rest[0] })
    const parameters = new URLSearchParams({ scope: 'rights', resource: 'https://hub.test' })
    const asked = oauth.clientCredentialsGrantRequest(as, client, secret, parameters, { headers, ...insecure })
    return { token: (await oauth.processClientCredentialsResponse(as, client, await asked)).access_token }
  },
}
console.log(JSON.stringify(await plays[what]()))

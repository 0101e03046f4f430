// The portal's page. It holds a key that cannot leave this browser (WebCrypto, not extractable); each call proves it (RFC 9449).
// The session itself is a cookie that this script never sees: `ath`, the hash it is named by in proofs, is no secret.
const $ = (id) => document.getElementById(id)
const text = new TextEncoder()
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
const bytesOf = (words) => Uint8Array.from(atob(words.replace(/-/g, '+').replace(/_/g, '/')), (each) => each.charCodeAt(0))
const sha256 = (words) => crypto.subtle.digest('SHA-256', text.encode(words))

// ------------------------------------------------------------------------------------------------- what this browser keeps
function kept(mode, act) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('ecluse', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('kept')
    opening.onerror = () => failed(opening.error)
    opening.onsuccess = () => {
      const asked = act(opening.result.transaction('kept', mode).objectStore('kept'))
      asked.onsuccess = () => done(asked.result)
      asked.onerror = () => failed(asked.error)
    }
  })
}
const recall = (name) => kept('readonly', (store) => store.get(name))
const keep = (name, value) => kept('readwrite', (store) => store.put(value, name))
const forget = () => kept('readwrite', (store) => store.clear())

async function ownKey() {
  const known = await recall('key')
  if (known) return known
  const made = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  await keep('key', made)
  return made
}

async function publicHalf(key) {
  const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', key.publicKey)
  return { crv, kty, x, y } // in the order of RFC 7638
}

const thumbprint = async () => base64url(await sha256(JSON.stringify(await publicHalf(await ownKey()))))

// --------------------------------------------------------------------------------------------------------------- the calls
let nonce

async function proof(method, url) {
  const key = await ownKey()
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await publicHalf(key) }
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ath: await recall('ath') }
  if (nonce) claims.nonce = nonce
  const said = [header, claims].map((each) => base64url(text.encode(JSON.stringify(each)))).join('.')
  return `${said}.${base64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, text.encode(said)))}`
}

class Refused extends Error {
  constructor(problem) {
    super(problem.code)
    this.problem = problem
  }
}

async function send(method, path, body, proved) {
  const headers = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (proved) headers.dpop = await proof(method, location.origin + path)
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  nonce = answer.headers.get('dpop-nonce') ?? nonce
  const told = await answer.json()
  if (!answer.ok) throw new Refused(told)
  return told
}

async function call(method, path, body) {
  try {
    return await send(method, path, body, true)
  } catch (refused) {
    if (refused.problem?.code !== 'use_dpop_nonce') throw refused
    return send(method, path, body, true) // once more, with the nonce that came (RFC 9449 §8)
  }
}

// ------------------------------------------------------------------------------------------------------------------- words
const SAID = {
  __proto__: null,
  login_refused: 'Cette identification n’a pas été acceptée. Recommencez d’ici, dans le même navigateur.',
  login_declined: 'Le fournisseur d’identité n’a laissé entrer personne. Recommencez, et allez au bout de l’identification.',
  login_provider_silent: 'Le fournisseur d’identité ne répond pas. Réessayez dans une minute.',
  login_provider_busy: 'Le fournisseur d’identité est très demandé. Réessayez dans une minute.',
  login_provider_unfit: 'Le fournisseur d’identité n’offre pas ce que cette plateforme exige. Prévenez les opérateurs de la plateforme.',
  login_request_refused: 'Le fournisseur d’identité n’a pas accepté la demande de la plateforme. Prévenez les opérateurs de la plateforme.',
  logout_refused: 'Ce retour n’est pas celui d’une déconnexion commencée ici. Votre session chez le fournisseur d’identité est peut-être encore ouverte.',
  logout_not_offered: 'Vous êtes déconnecté d’Écluse, mais le fournisseur d’identité n’a pas pu être prévenu : déconnectez-vous chez lui.',
  passkey_refused: 'Cette clé d’accès n’a pas été acceptée. Identifiez-vous, puis liez-la à nouveau si elle a expiré.',
  passkeys_many: 'Votre compte a déjà trop de clés d’accès.',
  allowance_spent: 'Vous avez interrogé trop de patients sans leur laissez-passer. Scannez le laissez-passer du patient, ou facturez les soins déjà ouverts.',
  presence_required: 'Le patient doit être là pour cette question : scannez son laissez-passer.',
  account_quarantined: 'Ce compte est fermé jusqu’à ce que deux personnes l’aient examiné. Appelez les opérateurs de la plateforme.',
  questions_closed: 'Les questions de cette sorte sont fermées pour le moment.',
  pass_invalid: 'Ce laissez-passer n’est pas valable, ou pas pour ce patient.',
  overloaded: 'Trop de questions en même temps. Réessayez dans une seconde.',
  unauthenticated: 'Votre session est terminée. Identifiez-vous à nouveau.',
}
const WHY = {
  __proto__: null,
  no_rights: 'aucun droit connu',
  domain_not_covered: 'ces soins ne sont pas couverts',
  not_begun: 'les droits ne sont pas encore ouverts',
  ended: 'les droits sont terminés',
}
const AGAIN = {
  __proto__: null,
  step_up_required: 'Votre compte est limité pour l’instant. Une nouvelle identification lève le plus souvent cette limite ; avec le laissez-passer du patient, on vous répond en attendant.',
  insufficient_user_authentication: 'Il faut une identification plus forte ; et, pour lier une clé d’accès, de moins de dix minutes.',
}
const KIND = {
  __proto__: null,
  device: 'ne quitte pas l’appareil où elle a été créée',
  synced: 'partagée entre les appareils d’une personne par leur gestionnaire de clés',
}
const moment = (iso) => new Date(iso).toLocaleString('fr-FR', { dateStyle: 'long', timeStyle: 'short' })
const day = (iso) => (iso === '9999-12-31' ? 'sans date de fin' : new Date(`${iso}T12:00`).toLocaleDateString('fr-FR', { dateStyle: 'long' }))

function tell(words) {
  $('told').textContent = words
  $('told').hidden = !words
  if (words) $('told').focus()
}

function refuse(refused) {
  if (!refused.problem) {
    tell(refused.name === 'NotAllowedError' ? 'La clé d’accès n’a pas été utilisée.' : 'La plateforme ne répond pas. Réessayez.')
    return
  }
  const { code, pointer } = refused.problem
  const field = $((pointer ?? '').split('/').pop() || 'none')
  if (field) {
    field.setAttribute('aria-invalid', 'true')
    field.focus()
  }
  $('again').hidden = !AGAIN[code]
  $('again-why').textContent = AGAIN[code] ?? ''
  if (code === 'unauthenticated' || code === 'invalid_dpop_proof') show(null)
  tell(AGAIN[code] ? '' : (SAID[code] ?? (field ? 'Vérifiez le champ indiqué.' : `La demande a été refusée (${code}).`)))
  if (AGAIN[code]) $('step-up').focus()
}

function line(list, term, words) {
  if (words === undefined || words === null || words === '') return
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')]
  dt.textContent = term
  dd.textContent = words
  list.append(dt, dd)
}

function showAnswer(told) {
  const [title, list, note] = ['h2', 'dl', 'p'].map((each) => document.createElement(each))
  const yes = told.outcome === 'confirmed'
  title.textContent = yes ? 'Couvert' : 'Pas de confirmation'
  line(list, 'Tiers payant', told.third_party_payment === undefined ? undefined : told.third_party_payment ? 'oui' : 'non')
  line(list, 'Couvert jusqu’au', told.covered_until && day(told.covered_until))
  line(list, 'Engagement', told.engagement && `${told.engagement.number}, valable jusqu’au ${day(told.engagement.valid_until)}`)
  line(list, 'Convention, CSR', [told.convention_type, told.csr].filter(Boolean).join(', '))
  line(list, 'Motif', told.reason && WHY[told.reason])
  line(list, 'Garantie', told.guarantee?.join(' · '))
  line(list, 'Autres soins couverts', told.domains?.map((each) => $('domain').querySelector(`[value=${each}]`)?.textContent ?? each).join(', '))
  note.className = 'soft'
  note.textContent = 'Personne inconnue, droits fermés, autre organisme : sans le laissez-passer du patient, la réponse est la même.'
  $('answer').className = yes ? 'yes' : ''
  $('answer').replaceChildren(...(yes || told.reason ? [title, list] : [title, note]))
  $('answer').hidden = false
  $('answer').focus()
}

function keyLine(key) {
  const [item, words, name, button] = ['li', 'div', 'strong', 'button'].map((each) => document.createElement(each))
  name.textContent = key.name || 'Clé d’accès sans nom'
  words.append(name)
  const used = key.used_at ? `utilisée pour la dernière fois le ${moment(key.used_at)}` : 'jamais utilisée'
  const lapses = `${new Date(key.until) < new Date() ? 'expirée depuis' : 'expire'} le ${day(key.until.slice(0, 10))}`
  for (const each of [KIND[key.kind], `liée le ${moment(key.bound_at)}, ${lapses}`, used]) {
    if (!each) continue
    const small = document.createElement('small')
    small.textContent = each
    words.append(small)
  }
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = 'Retirer'
  button.setAttribute('aria-label', `Retirer ${name.textContent}, liée le ${moment(key.bound_at)}`)
  const called = key.name || `clé d’accès liée le ${moment(key.bound_at)}`
  button.addEventListener('click', async () => {
    if (await agreed(called)) await attempt(button, () => remove(key.id, called))
  })
  item.append(words, button)
  return item
}

async function showKeys() {
  if (!$('keys')) return
  const keys = await call('GET', '/portal/passkeys')
  $('keys-list').replaceChildren(...keys.map(keyLine))
  $('keys-none').hidden = keys.length > 0
  $('keys').hidden = false
}

// Whether the person says yes to what takes something away; Escape is no.
function agreed(words) {
  const dialog = $('removal')
  $('removal-which').textContent = words
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((done) => {
    dialog.onclose = () => { if (!dialog.open) done(dialog.returnValue === 'yes') } // open: the end of the one before, told late
  })
}

let way // how the person came in, as long as they are

function show(session) {
  way = session?.way
  $('left').hidden = true
  for (const id of ['who', 'out', 'ask']) $(id).hidden = !session
  if ($('keys')) {
    if (!session) $('keys').hidden = true
    $('new-key').hidden = session?.way === 'passkey'
    $('keys-elsewhere').hidden = !$('new-key').hidden
    $('keys-told').textContent = ''
    $('keys-list').replaceChildren()
  }
  $('login').hidden = Boolean(session)
  if (session) {
    const until = new Date(session.until_at_most).toLocaleTimeString('fr-FR', { timeStyle: 'short' })
    $('who').textContent = `${session.account} · ${session.practice} · jusqu’à ${until} au plus`
  } else {
    $('answer').replaceChildren()
    $('answer').hidden = $('again').hidden = true
    $('question').reset()
  }
  $('care_date').value ||= new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Paris' })
}

// -------------------------------------------------------------------------------------------------------------------- acts
async function leave(stepUp) {
  const { url } = await send('POST', '/portal/login', { jkt: await thumbprint(), step_up: stepUp })
  await keep('leaving', 'in')
  location.assign(url)
}

async function byPasskey() {
  const asked = await send('POST', '/portal/passkeys/challenge', { jkt: await thumbprint() })
  const publicKey = { ...asked, challenge: bytesOf(asked.challenge) }
  const { id, rawId, type, response } = await navigator.credentials.get({ publicKey })
  const fields = ['clientDataJSON', 'authenticatorData', 'signature', 'userHandle']
  const told = Object.fromEntries(fields.map((each) => [each, base64url(response[each] ?? new ArrayBuffer(0))]))
  const { ath } = await send('POST', '/portal/passkeys/session', { id, rawId: base64url(rawId), type, response: told })
  await keep('ath', ath)
  await enter()
}

async function bind() {
  const asked = await call('POST', '/portal/passkeys/options')
  const publicKey = {
    ...asked,
    challenge: bytesOf(asked.challenge),
    user: { ...asked.user, id: bytesOf(asked.user.id) },
    excludeCredentials: asked.excludeCredentials.map((each) => ({ ...each, id: bytesOf(each.id) })),
  }
  const { id, rawId, type, response } = await navigator.credentials.create({ publicKey })
  const fields = ['clientDataJSON', 'attestationObject']
  const told = Object.fromEntries(fields.map((each) => [each, base64url(response[each])]))
  const sent = { id, rawId: base64url(rawId), type, response: told, name: $('key-name').value }
  const bound = await call('POST', '/portal/passkeys', sent)
  $('new-key').reset()
  await showKeys()
  $('keys-told').textContent = `Clé d’accès liée, jusqu’au ${day(bound.until.slice(0, 10))}.`
}

async function remove(id, called) {
  await call('DELETE', `/portal/passkeys/${id}`).catch((refused) => { if (refused.problem?.code !== 'not_found') throw refused })
  await showKeys()
  $('keys-told').textContent = `Clé d’accès retirée : ${called}.`
  $('keys-title').focus()
}

async function ask() {
  const said = Object.fromEntries(new FormData($('question')))
  const beneficiary = { nir: said.nir.replace(/\s/g, ''), birth_date: said.birth_date, birth_rank: Number(said.birth_rank) }
  const question = { insurer: said.insurer, beneficiary, care_date: said.care_date, domain: said.domain, pass: said.pass || null }
  $('answer').hidden = true
  showAnswer(await call('POST', '/v1/rights/checks', question))
}

async function enter() {
  const session = await call('GET', '/portal/session')
  show(session)
  $('insurer').focus()
  await showKeys()
}

async function exit() {
  await call('DELETE', '/portal/session').catch((refused) => { if (!refused.problem) throw refused })
  await forget()
  const byProvider = way === 'login'
  show(null)
  if (byProvider) await offerMore()
}

// The session here has ended, whatever the provider says now.
async function offerMore() {
  const told = await send('GET', '/portal/provider').catch(() => ({}))
  $('left').hidden = !told.ends_sessions
  if (told.ends_sessions) $('left-title').focus()
}

async function leaveProvider() {
  await keep('leaving', 'out')
  location.assign('/portal/logout')
}

async function attempt(button, act) {
  tell('')
  for (const each of document.querySelectorAll('[aria-invalid]')) each.removeAttribute('aria-invalid')
  button.disabled = true
  try {
    await act()
  } catch (refused) {
    refuse(refused)
  } finally {
    button.disabled = false
  }
}

function on(id, event, act) {
  $(id)?.addEventListener(event, (happened) => {
    happened.preventDefault()
    return attempt($(id).querySelector('[type=submit]') ?? $(id), act)
  })
}

on('enter', 'click', () => leave(false))
on('step-up', 'click', () => leave(true))
on('passkey', 'click', byPasskey)
on('new-key', 'submit', bind)
$('removal-no')?.addEventListener('click', () => $('removal').close('no'))
$('removal-yes')?.addEventListener('click', () => $('removal').close('yes'))
on('out', 'click', exit)
on('leave', 'click', leaveProvider)
on('question', 'submit', ask)

// What came back is in the fragment, which any link may have: taken only from a login that this page began, and only as a code.
const came = new URLSearchParams(location.hash.slice(1))
const refusedAs = /^[a-z_]{1,40}$/.exec(came.get('refused') ?? '')?.[0]
history.replaceState(null, '', location.pathname)
const leaving = await recall('leaving')
if (leaving) await keep('leaving', '')
if (leaving === 'in' && came.has('ath')) await keep('ath', came.get('ath'))
try {
  if (refusedAs) throw new Refused({ code: refusedAs })
  if (await recall('ath')) await enter()
  else show(null)
  if (leaving === 'out' && came.has('out')) tell('Vous êtes déconnecté d’Écluse ; du fournisseur d’identité aussi, si vous le lui avez confirmé.')
} catch (refused) {
  show(null)
  if (refusedAs || refused.problem?.code !== 'unauthenticated') refuse(refused)
}

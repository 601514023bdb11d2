import { apiURL, call } from './client'
import type * as T from './types'

export type * from './types'
export { apiURL, handleError, Problem } from './client'

/** The API, one function a route. */
export const api = {
  setup: () => call<T.SetupState>('setup'),
  setUp: (body: T.Setup) => call<{ account: T.Account }>('setup', { method: 'POST', body }),

  session: () => call<{ account: T.Account }>('session'),
  signIn: (email: string, password: string) => call<{ account?: T.Account; step?: T.PendingStep }>('session', { method: 'POST', body: { email, password } }),
  finishSignIn: (token: string, code: string) => call<{ account?: T.Account }>('session/second', { method: 'POST', body: { token, code } }),
  secondStep: () => call<T.SecondStep>('account/second'),
  offerSecondStep: (password: string) => call<T.SecondOffer>('account/second', { method: 'POST', body: { password } }),
  confirmSecondStep: (code: string) => call<{ recovery_codes: string[] }>('account/second', { method: 'PUT', body: { code } }),
  dropSecondStep: (password: string, code: string) => call<void>('account/second', { method: 'DELETE', body: { password, code } }),
  signOut: () => call<void>('session', { method: 'DELETE' }),
  sessions: () => call<T.Sessions>('sessions'),
  endSession: (id: string) => call<void>(`sessions/${id}`, { method: 'DELETE' }),
  endOtherSessions: () => call<void>('sessions', { method: 'DELETE' }),

  signUpDoor: () => call<T.SignUpDoor>('sign-up'),
  askSignUp: (body: T.AskSignUp) => call<T.Asked>('sign-up', { method: 'POST', body }),
  signUp: (body: T.SignUp) => call<{ account: T.Account }>('sign-up/confirm', { method: 'POST', body }),
  askReset: (body: T.AskReset) => call<T.Asked>('password/reset', { method: 'POST', body }),
  resetPassword: (body: T.ResetPassword) => call<void>('password/reset/confirm', { method: 'POST', body }),
  askEmail: (email: string, password: string) => call<T.Asked>('account/email', { method: 'POST', body: { email, password } }),
  setEmail: (request: string, email: string, code: string) => call<T.Account>('account/email/confirm', { method: 'POST', body: { request, email, code } }),
  outbox: () => call<{ letters: T.Letter[] }>('outbox'),

  changeAccount: (body: T.AccountChange) =>
    call<T.Account>('account', { method: 'PATCH', body }),
  setPassword: (current: string, next: string) => call<void>('account/password', { method: 'POST', body: { current, new: next } }),
  closeAccount: (password: string) => call<T.Receipt>('account', { method: 'DELETE', body: { password } }),

  sites: () => call<T.Site[]>('sites'),
  cameras: () => call<{ cameras: T.Camera[] }>('cameras'),
  health: () => call<T.Health>('health'),
  camera: (id: string) => call<T.Camera>(`cameras/${id}`),
  checkCamera: (body: T.NewAddress, signal?: AbortSignal) => call<T.CameraCheck>('cameras/check', { method: 'POST', body, signal }),
  discover: (signal?: AbortSignal) => call<T.Discovered>('cameras/discover', { method: 'POST', body: {}, signal }),
  profiles: (body: T.LookAt, signal?: AbortSignal) => call<T.Profiles>('cameras/profiles', { method: 'POST', body, signal }),
  brands: () => call<T.Brand[]>('brands'),
  addCamera: (body: T.NewCamera) => call<T.Camera>('cameras', { method: 'POST', body }),
  changeCamera: (id: string, body: T.CameraChange) => call<T.Camera>(`cameras/${id}`, { method: 'PATCH', body }),
  removeCamera: (id: string, password: string) => call<T.Receipt>(`cameras/${id}`, { method: 'DELETE', body: { password } }),
  consent: (id: string, purpose: string, state: 'given' | 'refused' | 'withdrawn', text_hash: string) =>
    call<{ consent: T.Consent; receipt?: T.Receipt }>(`cameras/${id}/consents/${purpose}`, { method: 'PUT', body: { state, text_hash } }),
  consentForAll: (purpose: string, state: 'given' | 'refused' | 'withdrawn', text_hash: string) =>
    call<{ consent: T.Consent; receipt?: T.Receipt }>(`consents/${purpose}`, { method: 'PUT', body: { state, text_hash } }),


  alerts: () => call<T.AlertSettings>('alerts'),
  chooseAlerts: (id: string, body: T.AlertChoice) => call<T.AlertRule>(`cameras/${id}/alerts`, { method: 'PUT', body }),
  pauseAlerts: (length: T.AlertLength, id?: string) => call<T.AlertPause>(id ? `cameras/${id}/alerts/pause` : 'alerts/pause', { method: 'PUT', body: { for: length } }),
  resumeAlerts: (id?: string) => call<void>(id ? `cameras/${id}/alerts/pause` : 'alerts/pause', { method: 'DELETE' }),
  addPushDevice: (body: T.NewPushDevice) => call<T.PushDevice>('alerts/devices', { method: 'POST', body }),
  removePushDevice: (id: string) => call<void>(`alerts/devices/${id}`, { method: 'DELETE' }),
  tryPushDevice: (id: string) => call<void>(`alerts/devices/${id}/test`, { method: 'POST' }),
  messages: (cursor?: string) => call<T.SentMessages>('alerts/messages', { query: { cursor } }),
  stopMail: (token: string) => call<void>(`unsubscribe/${token}`, { method: 'POST' }),

  timeline: (id: string, from: T.Time, to: T.Time, signal?: AbortSignal) => call<T.Timeline>(`cameras/${id}/timeline`, { query: { from, to }, signal }),
  days: (id: string) => call<T.Days>(`cameras/${id}/days`),

  events: (query: { camera?: string; kind?: string; seen?: string; from?: T.Time; to?: T.Time; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    call<T.Events>('events/history', { query, signal }),
  cameraEvents: (id: string, from: T.Time, to: T.Time) => call<{ events: T.CameraEvent[] }>(`cameras/${id}/events`, { query: { from, to } }),
  seen: (events: string[], seen: boolean) => call<void>('events/seen', { method: 'POST', body: { events, seen } }),
  motion: (id: string) => call<T.Motion>(`cameras/${id}/motion`),
  changeMotion: (id: string, body: T.MotionChange) => call<T.Motion>(`cameras/${id}/motion`, { method: 'PATCH', body }),

  shares: () => call<T.Shared>('shares'),
  invite: (body: T.NewInvite) => call<T.Made>('shares', { method: 'POST', body }),
  makeLink: (body: T.NewLink) => call<T.Made>('links', { method: 'POST', body }),
  changeShare: (id: string, body: T.ChangedTerms) => call<T.Share>(`shares/${id}`, { method: 'PUT', body }),
  endShare: (id: string) => call<void>(`shares/${id}`, { method: 'DELETE' }),
  leaveShare: (id: string) => call<void>(`memberships/${id}`, { method: 'DELETE' }),
  invitation: (token: string) => call<T.Invitation>(`invites/${token}`),
  acceptInvite: (token: string) => call<T.Received>(`invites/${token}/accept`, { method: 'POST' }),
  openLink: (token: string) => call<T.LinkView>(`links/${token}/open`, { method: 'POST' }),
  link: (id: string) => call<T.LinkView>(`link/${id}`),
  stepUp: (password: string, code?: string) => call<void>('session/step-up', { method: 'POST', body: { password, code: code || undefined } }),

  purposes: (lang?: string) => call<T.Purpose[]>('purposes', { query: { lang } }),
  consents: () => call<T.Consents>('consents'),
  held: () => call<T.Held[]>('privacy/held'),
  access: (cursor?: string, camera_id?: string) => call<T.Accesses>('privacy/access', { query: { cursor, camera_id } }),
  exports: () => call<T.Export[]>('privacy/exports'),
  beginExport: (password: string) => call<T.Export>('privacy/exports', { method: 'POST', body: { password } }),
  endExport: (id: string) => call<T.Export>(`privacy/exports/${id}`, { method: 'DELETE' }),
  receiptProof: (token: string) => apiURL(`receipts/${token}/proof`),
  consentReceipt: (id: string) => apiURL(`consents/${id}/receipt`),
  receipt: (token: string) => call<T.Receipt>(`receipts/${token}`),
  promises: () => call<T.Board>('promises'),
  notices: () => call<T.Notice[]>('notices'),
  openNotices: () => call<T.Notice[]>('notices/open'),
  noticeSeen: (id: string) => call<void>(`notices/${id}/seen`, { method: 'PUT', body: { seen: true } }),
  standing: () => call<T.Standing>('policy/standing'),
  answerPolicy: (policy_hash: string, answer: 'agreed' | 'declined') => call<T.Standing>('policy/answers', { method: 'POST', body: { policy_hash, answer } }),
  policy: (lang: string, hash?: string) => call<T.Policy>('policy', { query: { lang, hash } }),
}

/** Where a picture comes from: a camera by its id, or what a link shows ("link/…"). */
const source = (id: string) => (id.startsWith('link/') ? id : `cameras/${id}`)

/** Addresses that elements load by themselves. */
export const media = {
  still: (id: string, w?: number, bust?: number) => apiURL(`${source(id)}/still.jpg`, { w, t: bust }),
  frame: (id: string, at: T.Time, w?: number) => apiURL(`cameras/${id}/frame.jpg`, { at, w }),
  footage: (id: string, from: T.Time, to: T.Time) => apiURL(`cameras/${id}/footage.mp4`, { from, to }),
  download: (id: string, from: T.Time, to: T.Time) => apiURL(`cameras/${id}/footage.mp4`, { from, to, download: 1 }),
  eventPicture: (camera: string, event: string, v?: number) => apiURL(`cameras/${camera}/events/${event}/picture.jpg`, { v }),
  whep: (id: string, quality: string, audio: boolean) => apiURL(`${source(id)}/whep`, { quality, audio: audio ? 1 : 0 }),
  mse: (id: string, quality: string, audio: boolean) => apiURL(`${source(id)}/mse`, { quality, audio: audio ? 1 : 0 }).replace(/^http/, 'ws'),
  copy: (id: string) => apiURL(`exports/${id}.zip`),
  events: () => apiURL('events'),
}

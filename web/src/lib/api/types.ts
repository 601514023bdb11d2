// The shapes of /api/v1, as the app reads them.

export type Millis = number
/** RFC 3339, UTC, milliseconds. */
export type Time = string

export interface Account {
  id: string
  name: string
  email: string
  language: string
  theme: string
  created_at: Time
}

export interface ConsentText {
  text: string
  hash: string
}

export interface SetupState {
  needed: boolean
  demo_camera: boolean
  language?: string
  secure: boolean
  missing_without_tls: string[]
  texts: { recording: ConsentText; policy_version: string }
}

export interface Setup {
  code: string
  name: string
  email: string
  password: string
  language: string
  time_zone: string
  recording: 'given' | 'refused'
  recording_text_hash: string
  add_demo_camera: boolean
}

export interface Session {
  id: string
  agent: string
  address?: string
  created_at: Time
  seen_at?: Time
  expires_at?: Time
  current: boolean
}

export interface Site {
  id: string
  name: string
  time_zone: string
}

export interface Audio {
  codec: string
  rfc6381: string
  sample_rate: number
  channels: number
}

export interface Stream {
  profile: 'main' | 'sub'
  codec: string
  rfc6381: string
  width: number
  height: number
  fps: number
  reorder: boolean
  audio: Audio | null
}

export type Phase = 'connecting' | 'live' | 'waiting' | 'stopped'

export interface CameraState {
  phase: Phase
  since?: Time
  code?: string
  sentence?: string
  next_try?: Time
}

export interface Retention {
  days: number
  bytes: number
}

export type ConsentState = 'given' | 'refused' | 'withdrawn' | 'none'

export interface Camera {
  id: string
  name: string
  site_id: string
  address?: string
  state: CameraState
  recording: { mode: 'on' | 'paused' | 'off'; consent: ConsentState; actual: boolean; sentence?: string }
  streams: Stream[]
  retention: Retention
  demo: boolean
  created_at: Time
}

export interface Warning {
  code: string
  sentence: string
}

export interface CameraCheck {
  streams: Stream[]
  warnings: Warning[]
}

export interface NewCamera {
  name?: string
  address?: string
  username?: string
  password?: string
  sub_address?: string
  recording?: 'given' | 'refused'
  recording_text_hash?: string
  demo?: boolean
}

export interface CameraChange {
  name?: string
  recording_mode?: 'on' | 'paused'
  retention?: Retention
  address?: string
  username?: string
  password?: string
  sub_address?: string
}

export interface Gap {
  from: Time
  to: Time
  reason: string
  sentence: string
}

export interface Timeline {
  from: Time
  to: Time
  ranges: { from: Time; to: Time }[]
  gaps: Gap[]
  oldest?: Time
  newest?: Time
  bytes: number
}

export interface Day {
  day: string
  seconds: number
}

export interface Purpose {
  id: string
  basis: string
  text: string
  hash: string
  optional: boolean
}

export interface Consent {
  id: string
  purpose: string
  camera_id?: string
  state: 'given' | 'refused' | 'withdrawn'
  at: Time
  text_hash: string
  policy_hash?: string
  language?: string
}

export interface Consents {
  current: Consent[]
  history: Consent[]
}

export interface Held {
  category: string
  kind: string
  count: number
  bytes: number
  oldest?: Time
  /** A moment, or the event that ends it. */
  until?: string
  purpose: string
  basis: string
  room: string
}

export interface Access {
  seq: number
  at: Time
  actor: string
  action: string
  camera_id?: string
  purpose: string
  client?: string
}

export interface Receipt {
  id: string
  token?: string
  what: 'recording' | 'camera' | 'account'
  requested_at: Time
  unopenable_at?: Time
  done_at?: Time
  steps: { step: string; at?: Time; done?: boolean }[]
  looked_for: { where: string; looked: number; found: number }[]
  keys_destroyed: number
  swept: { objects: number; bytes: number; rows: number }
  unrecoverable_by_days: number
}

export interface Policy {
  version: string
  hash: string
  markdown: string
}

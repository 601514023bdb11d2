// The shapes of /api/v1 by the names the app uses. They come from openapi.json, which `candor openapi` prints; nothing
// is described twice.

import type { components, operations } from './schema'

type S = components['schemas']
type Answer<O extends keyof operations, C extends number = 200> = operations[O]['responses'] extends Record<C, { content: { 'application/json': infer B } }> ? B : never

/** RFC 3339, UTC, milliseconds. */
export type Time = string

export type Account = S['Account']
export type AccountChange = S['AccountChange']
export type SetupState = S['SetupState']
export type Setup = S['SetupInputBody']
export type SignUpDoor = S['SignUpState']
export type Asked = S['Asked']
export type AskSignUp = S['AskSignUpRequest']
export type SignUp = S['SignUpRequest']
export type AskReset = S['AskResetRequest']
export type ResetPassword = S['ResetPasswordRequest']
export type Letter = S['Letter']
export type Session = S['SessionInfo']
export type Site = S['Site']
export type Audio = S['Audio']
/** The document cannot say that audio may be null. */
export type Stream = Omit<S['Stream'], 'audio'> & { audio: Audio | null }
export type Camera = Omit<S['Camera'], 'streams'> & { streams: Stream[] }
export type CameraCheck = Omit<S['Checked'], 'streams'> & { streams: Stream[] }
export type Health = S['Health']
export type CameraHealth = S['CameraHealth']
export type Discovered = S['Discovered']
export type DiscoveredCamera = S['DiscoveredCamera']
export type LookAt = S['LookAt']
export type Profiles = S['Profiles']
export type Channel = S['Channel']
export type Brand = S['Brand']
export type NewCamera = S['NewCamera']
export type NewAddress = S['Address']
export type CameraChange = S['CameraChange']
export type Timeline = S['Timeline']
export type Day = S['Day']
export type CameraEvent = S['CameraEvent']
export type Events = Answer<'listEvents'>
export type Motion = S['Motion']
export type MotionChange = S['MotionChange']
export type Purpose = S['Purpose']
export type Consent = S['Consent']
export type Consents = S['Consents']
export type Held = S['Held']
export type Access = S['Access']
export type Export = S['Export']
export type Receipt = S['Receipt']
export type Policy = S['PolicyText']
export type SecondStep = S['SecondStep']
export type SecondOffer = S['SecondOffer']
export type PendingStep = S['PendingStep']
export type PromiseState = 'declared' | 'enforced' | 'tested' | 'watched'
/** One promise, as GET /promises says it; the document leaves its form open. */
export interface PromiseRow {
  id: string
  area: string
  statement: string
  reading: string
  state: PromiseState
  why: string
  controls: string[]
  proofs: string[]
  drills: string[]
  watch?: { at: string; kept: boolean }
}
export interface Board {
  policy: string
  count: Partial<Record<PromiseState, number>>
  promises: PromiseRow[]
}
export type Notice = S['Notice']
export type Standing = S['Standing']
export type PolicyStep = S['PolicyStep']
export type Accesses = Answer<'listAccesses'>
export type Sessions = Answer<'listSessions'>
export type Days = Answer<'listDays'>
export type AlertSettings = S['AlertSettings']
export type AlertChoice = S['AlertChoice']
export type AlertHours = S['AlertHours']
export type AlertRule = S['AlertRule']
export type AlertPause = S['AlertPause']
export type AlertLength = 'half_hour' | 'two_hours' | 'morning'
export type NewPushDevice = S['NewPushDevice']
export type PushDevice = S['PushDevice']
export type SentMessage = S['SentMessage']
export type SentMessages = Answer<'listMessages'>
export type Terms = S['Terms']
export type Share = S['Share']
export type Received = S['Received']
export type Shared = S['Shared']
export type NewInvite = S['NewInvite']
export type ChangedTerms = S['ChangedTerms']
export type NewLink = S['NewLink']
export type Made = S['Made']
export type Invitation = S['Invitation']
/** The document cannot say that audio may be null. */
export type LinkView = Omit<S['LinkView'], 'streams'> & { streams: Stream[] }
export type ProblemDocument = S['Problem']
